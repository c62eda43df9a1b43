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

    func validate() throws {
        try requireValues([("--store", store), ("--config", config)])
    }
}

extension GlobalOptions {
    /// The same options with another store.
    func naming(store: String) -> GlobalOptions {
        var options = self
        options.store = store
        return options
    }

    /// The arguments with the options before the verb moved behind it, where the verb reads them; none if there is no
    /// verb.
    ///
    /// Declaring the options on the root command as well would do the same for most command lines, but the root would
    /// take `--json` out of `append ID --content --json`.
    ///
    /// - Throws: A usage error if a store or a file is named and no verb, as when the variable after `--store` is not set.
    static func afterTheVerb(_ arguments: [String]) throws -> [String] {
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
        guard moved.allSatisfy({ $0 == "--json" }) else {
            throw ValidationError(
                "There is no verb: the argument after --store or --config is its value. Is a variable of the shell not "
                    + "set?")
        }
        return []
    }
}
