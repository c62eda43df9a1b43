import AgentSessions

extension ConformanceReport {
    /// The report as JUnit XML, which continuous integration shows: a suite of the backend, a case a scenario.
    public var junit: String {
        let failures = results.count { $0.outcome == .failed || $0.outcome == .unexpectedPass }
        // JUnit's word for a test that came to no answer.
        let errors = results.count { $0.outcome == .timedOut || $0.outcome == .crashed }
        let skipped = results.count { [.unsupported, .waived, .notRun].contains($0.outcome) }
        let seconds = results.reduce(0) { $0 + $1.milliseconds } / 1000
        var xml = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
            <testsuite name="\(markup("\(backend) contract \(contract)"))" tests="\(results.count)" \
            failures="\(failures)" errors="\(errors)" skipped="\(skipped)" time="\(seconds)">
            <properties>
            <property name="seed" value="\(seed)"/>
            <property name="engine" value="\(markup(engine))"/>
            <property name="conformant" value="\(isConformant)"/>

            """
        for setting in settings {
            xml += "<property name=\"\(markup(setting.name))\" value=\"\(markup(setting.value))\"/>\n"
        }
        xml += "</properties>\n"
        for result in results {
            let (id, group) = (markup(result.scenario.id), markup(result.scenario.group.rawValue))
            xml += "<testcase name=\"\(id)\" classname=\"\(group)\" time=\"\(result.milliseconds / 1000)\""
            let message = markup("\(result.outcome.rawValue): \(result.scenario.rule)\n\(result.message)")
            switch result.outcome {
            case .passed: xml += "/>\n"
            case .failed, .unexpectedPass: xml += "><failure message=\"\(message)\"/></testcase>\n"
            case .timedOut, .crashed:
                xml += "><error message=\"\(message)\" type=\"\(result.outcome.rawValue)\"/></testcase>\n"
            case .unsupported, .waived, .notRun: xml += "><skipped message=\"\(message)\"/></testcase>\n"
            }
        }
        return xml + "</testsuite>\n</testsuites>\n"
    }
}

/// Text as it stands in XML and HTML, attributes included. What XML cannot hold becomes U+FFFD.
func markup(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "'": out += "&#39;"
        case "\n": out += "&#10;"
        case "\t": out += "&#9;"
        case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": out.unicodeScalars.append("\u{FFFD}")
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}
