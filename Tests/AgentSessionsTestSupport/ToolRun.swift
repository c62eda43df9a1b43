package import AgentSessions
package import Testing

/// What a run of the tool gave.
package struct ToolRun: Sendable {
    package let status: Int32
    package let output: [UInt8]
    package let errors: String

    package init(status: Int32, output: [UInt8], errors: String) {
        (self.status, self.output, self.errors) = (status, output, errors)
    }

    /// Standard output as text.
    package var text: String { String(decoding: output, as: UTF8.self) }

    /// Standard output of a run that succeeded, as the one JSON value that it has to be.
    package func json(_ location: SourceLocation = #_sourceLocation) throws -> JSONValue {
        try #require(status == 0, "\(errors)", sourceLocation: location)
        #expect(errors.isEmpty, "\(errors)", sourceLocation: location)
        #expect(output.last == UInt8(ascii: "\n"), sourceLocation: location)
        return try JSONParser.parse(output, limits: JSONLimits(maximumBytes: .max, maximumDepth: 100))
    }

    /// Checks that the run was refused: an error that holds each of `hints`, and nothing on standard output.
    ///
    /// - Parameters:
    ///   - hints: What the error has to say.
    ///   - given: What was refused, for the report of the test.
    ///   - statuses: What it may exit with.
    ///   - location: Where the test stands.
    package func expectRefusal(
        _ hints: [String], of given: String = "", statuses: [Int32] = [1, 64],
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(statuses.contains(status), "\(given): status \(status), \(errors)", sourceLocation: location)
        #expect(output.isEmpty, "\(given)", sourceLocation: location)
        #expect(errors.hasPrefix("error: "), "\(given): \(errors)", sourceLocation: location)
        for hint in hints { #expect(errors.contains(hint), "\(given): \(errors)", sourceLocation: location) }
    }
}
