import ArgumentParser

/// The options that every verb has.
struct GlobalOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The store, such as sqlite:sessions.db.", valueName: "url"))
    var store: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A YAML or JSON file of settings.", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false
}

extension GlobalOptions {
    /// The same options with another store.
    func naming(store: String) -> GlobalOptions {
        var options = self
        options.store = store
        return options
    }

    /// The arguments with the options that stand before the verb moved behind it, where the verb reads them.
    ///
    /// Declaring the options on the root command as well would do the same for most command lines, but the root would
    /// take `--json` out of `append ID --content --json`.
    static func afterTheVerb(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var moved: [String] = []
        while let first = rest.first {
            switch first {
            case "--store", "--config":
                moved += rest.prefix(2)
                rest = rest.dropFirst(2)
            case "--json":
                moved.append(first)
                rest = rest.dropFirst()
            case _ where first.hasPrefix("--store=") || first.hasPrefix("--config="):
                moved.append(first)
                rest = rest.dropFirst()
            default:
                // Directly behind the verb, where no option can wait for a value.
                return [first] + moved + rest.dropFirst()
            }
        }
        return []
    }
}
