import AgentSessions

/// What `backends` shows of one backend.
struct BackendReport {
    /// The configured store, if it is one of this backend.
    struct ConfiguredStore {
        let backend: String
        let url: String
        let capabilities: StoreCapabilities
        let settings: [StoreSetting]
    }

    let backend: any StoreBackend.Type
    let store: ConfiguredStore?

    private var capabilities: StoreCapabilities { store?.capabilities ?? backend.capabilities }
    private var abilities: [String] { capabilities.abilities.map(\.description).sorted() }
    private var settings: [SettingDefinition] { backend.settings + CommonSettings.definitions }
}

// MARK: - JSON

extension BackendReport {
    var json: JSONValue {
        let limits = capabilities.limits
        let effective: JSONValue =
            if let store {
                .object(JSONObject(members: store.settings.map { ($0.name, .string($0.value)) }))
            } else {
                .null
            }
        return [
            "name": .string(backend.name), "summary": .string(backend.summary),
            "example": .string(backend.exampleURL), "configured": .bool(store != nil),
            "capabilities": [
                "durability": .string(capabilities.durability.rawValue),
                "scope": .string(capabilities.scope.rawValue),
                "limits": [
                    "content_bytes": .integer(Int64(limits.contentBytes)),
                    "metadata_bytes": .integer(Int64(limits.metadataBytes)),
                    "metadata_depth": .integer(Int64(limits.metadataDepth)),
                    "tool_call_id_bytes": .integer(Int64(limits.toolCallIDBytes)),
                    "actor_name_bytes": .integer(Int64(limits.actorNameBytes)),
                    "batch_messages": .integer(Int64(limits.batchMessages)),
                    "page_items": .integer(Int64(limits.pageItems)),
                ],
                "abilities": .array(abilities.map { .string($0) }),
            ],
            "settings": .array(settings.map(\.json)), "effective": effective,
        ]
    }
}

extension SettingDefinition {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "allowed": .string(allowed), "default": .string(defaultValue),
            "summary": .string(summary),
        ]
    }
}

// MARK: - Text

extension BackendReport {
    var text: String {
        let limits = capabilities.limits
        var pairs = [
            ("example", backend.exampleURL), ("survives", capabilities.durability.words),
            ("open in", capabilities.scope == .one ? "one process" : "any number of processes"),
            ("abilities", abilities.isEmpty ? "none beyond the base" : abilities.joined(separator: ", ")),
            (
                "limits",
                "\(limits.contentBytes) bytes of content, \(limits.metadataBytes) bytes and \(limits.metadataDepth) "
                    + "levels of metadata, \(limits.batchMessages) messages a batch"
            ),
        ]
        if let store { pairs.append(("configured", visible(store.url))) }
        var text = "\(backend.name): \(backend.summary)\n" + keyValueBlock(pairs, indent: 2)
        if let store, !store.settings.isEmpty {
            text += "\n  in force\n" + keyValueBlock(store.settings.map { ($0.name, visible($0.value)) }, indent: 4)
        }
        let lines = settings.map { setting in
            (setting.name, "\(setting.summary); \(setting.allowed)" + (setting.defaultWords.map { "; \($0)" } ?? ""))
        }
        return text + "\n  settings\n" + keyValueBlock(lines, indent: 4)
    }
}

extension SettingDefinition {
    fileprivate var defaultWords: String? { defaultValue.isEmpty ? nil : "default \(defaultValue)" }
}

extension DurabilityTier {
    fileprivate var words: String {
        switch self {
        case .memory: "nothing: the data is gone with the process (T0)"
        case .processCrash: "a crash of the process, not the loss of power (T1)"
        case .powerLoss: "the loss of power (T2)"
        }
    }
}
