public import AgentSessions

extension StoreConfiguration {
    /// The configuration of a program: a URL from its command line, the environment, the file that either names, and the
    /// default, in this order.
    ///
    /// - Parameters:
    ///   - store: The store URL of the command line.
    ///   - file: The configuration file of the command line; otherwise `AGENT_SESSIONS_CONFIG` counts.
    ///   - environment: The environment variables.
    ///   - registry: The backends that there are.
    /// - Throws: What ``init(levels:environment:registry:)`` and ``ConfigurationLevel/file(_:)`` throw.
    public static func load(
        store: String? = nil, file: String? = nil,
        environment: [String: String] = ConfigurationLevel.processEnvironment, registry: BackendRegistry = .standard
    ) throws(StoreError) -> StoreConfiguration {
        var levels: [ConfigurationLevel] = []
        if let store { levels.append(.commandLine(store: store)) }
        levels.append(.environment(environment))
        if let path = file ?? environment[SettingKey.environmentVariable(SettingKey.config)] {
            levels.append(try .file(path))
        }
        return try StoreConfiguration(levels: levels, environment: environment, registry: registry)
    }

    /// The configuration that results from these levels.
    ///
    /// - Parameters:
    ///   - levels: Where the store may be configured, the level that counts most first.
    ///   - environment: Where the default store is, if no level names one: `XDG_DATA_HOME`, `HOME`.
    ///   - registry: The backends that there are.
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` for an unknown backend, key or value; the message
    ///   names where it was given, what was given and what is allowed.
    public init(
        levels: [ConfigurationLevel], environment: [String: String] = ConfigurationLevel.processEnvironment,
        registry: BackendRegistry = .standard
    ) throws(StoreError) {
        let known = registry.backends.flatMap { $0.settings } + CommonSettings.definitions
        var warnings: [String] = []
        for level in levels { warnings += try level.checkKeys([SettingKey.store] + known.map(\.name)) }
        do throws(StoreError) {
            try self.init(levels: levels, environment: environment, registry: registry, warnings: warnings)
        } catch {
            // The caller gets no configuration to read the warnings from, and one of them may be the reason.
            let message = ([error.message] + warnings.prefix(3)).joined(separator: " ")
            throw StoreError(
                error.code, message, backend: error.backend, nativeCode: error.nativeCode, cause: error.cause)
        }
    }

    private init(
        levels: [ConfigurationLevel], environment: [String: String], registry: BackendRegistry, warnings: [String]
    ) throws(StoreError) {
        let found = try Self.store(in: levels)
        let place = found.map { levels[$0.level].place(of: SettingKey.store) }
        let url = try at(place) { () throws(StoreError) in
            let text = if let found { found.text } else { try DefaultStore.url(in: environment) }
            return try StoreURL(parsing: text)
        }
        let backend = try at(place ?? "the default store") { () throws(StoreError) in
            try registry.backend(named: url.scheme)
        }
        let definitions = backend.settings + CommonSettings.definitions
        for parameter in url.parameters where !definitions.contains(where: { $0.name == parameter.name }) {
            throw .at("the store URL", url.unknownParameter(parameter.name, known: definitions))
        }
        var values: [String: String] = [:]
        var given: [GivenSetting] = []
        for definition in definitions {
            guard
                let (value, source, isShown) = try Self.value(
                    of: definition, in: levels, url: url, urlLevel: found?.level ?? levels.count)
            else { continue }
            try at(source) { () throws(StoreError) in try definition.check(value, isShown: isShown) }
            values[definition.name] = value
            given.append(
                GivenSetting(name: definition.name, shownValue: isShown ? value : "***", source: source))
        }
        self.url = url
        self.backend = backend
        source = found.map { levels[$0.level].name } ?? "the default"
        isDefault = found == nil
        self.given = given.sorted { $0.name < $1.name }
        announcement = Announcement(warnings)
        settings = try SettingValues(definitions, given: values)
    }

    /// The store URL that counts, and the level that it comes from.
    private static func store(in levels: [ConfigurationLevel]) throws(StoreError) -> (text: String, level: Int)? {
        for (index, level) in levels.enumerated() {
            // A store URL may hold a password.
            if let text = try level.text(SettingKey.store, isSecret: true) { return (text, index) }
        }
        return nil
    }

    /// The value of a setting that counts, where it comes from, and whether it may be shown.
    private static func value(
        of definition: SettingDefinition, in levels: [ConfigurationLevel], url: StoreURL, urlLevel: Int
    ) throws(StoreError) -> (value: String, source: String, isShown: Bool)? {
        for (index, level) in levels.enumerated() {
            if index == urlLevel, let parameter = url.parameters.first(where: { $0.name == definition.name }) {
                let isShown = !definition.isSecret && !url.hidesValues
                return (parameter.value, "the store URL of \(level.name)", isShown)
            }
            if let text = try level.text(definition.name, isSecret: definition.isSecret) {
                return (text, level.place(of: definition.name), !definition.isSecret)
            }
        }
        return nil
    }
}

/// Runs `body`, and adds to its errors where the refused value was given.
private func at<Result>(
    _ place: String?, _ body: () throws(StoreError) -> Result
) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        guard let place else { throw error }
        throw .at(place, error)
    }
}

extension StoreError {
    /// The same error, with where the refused value was given.
    fileprivate static func at(_ place: String, _ error: StoreError) -> StoreError {
        StoreError(
            error.code, "\(error.message) (Given as \(place).)", backend: error.backend, nativeCode: error.nativeCode,
            cause: error.cause)
    }
}
