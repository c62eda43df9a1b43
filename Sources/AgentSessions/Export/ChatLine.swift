/// The fields of a session that a chat line gives, messages aside.
struct ChatLine {
    private(set) var actorName = ChatFormat.defaultActor
    private(set) var metadata = JSONObject()

    /// Puts together what stood beside `messages`.
    ///
    /// - Parameters:
    ///   - actor: The `actor_name`, `.some(nil)` where it is null.
    ///   - object: The `metadata`, `.some(nil)` where it is null.
    ///   - others: The other keys.
    init(
        actor: String??, metadata object: JSONObject??, others: JSONObject, limits: StoreLimits
    ) throws(StoreError) {
        var values: [(String, JSONValue)] = []
        switch actor {
        case nil: break
        case .some(nil): values.append((ChatFormat.LineKey.actorName, .null))
        case .some(.some(let name)):
            if name.isIdentical(to: ChatFormat.defaultActor) {
                values.append((ChatFormat.LineKey.actorName, .string(name)))
            }
            actorName = name
        }
        switch object {
        case nil: break
        case .some(nil): values.append((ChatFormat.LineKey.metadata, .null))
        case .some(.some(let object)):
            if object.isEmpty || object.keys.contains(ChatFormat.markerKey) {
                values.append((ChatFormat.LineKey.metadata, .object(object)))
            } else {
                metadata = object
            }
        }
        var keys: [JSONValue] = []
        if !others.isEmpty {
            var members = metadata.map { ($0.key, $0.value) }
            let taken = metadata.keys + [ChatFormat.markerKey]
            for (key, value) in others {
                if taken.contains(where: { $0.isIdentical(to: key) }) {
                    values.append((key, value))
                } else {
                    keys.append(.string(key))
                    members.append((key, value))
                }
            }
            metadata = JSONObject(members: members)
        }
        let marker = ChatFormat.marker(
            (ChatFormat.MarkerKey.keys, keys.isEmpty ? nil : .array(keys)),
            (ChatFormat.MarkerKey.values, ChatFormat.object(values)))
        if let marker { metadata[ChatFormat.markerKey] = marker }
        try limits.check(actorName: actorName)
        metadata = try limits.check(metadata: metadata)
    }
}

/// What stands beside the messages of a session in its chat line, in the order in which it is written.
struct ChatLineHeader {
    private(set) var members: [(String, JSONValue)] = []

    init(_ session: Session) {
        var metadata = session.metadata
        var values = JSONObject()
        var others: [(String, JSONValue)] = []
        if let marker = ChatLineMarker(session) {
            values = marker.values
            metadata[ChatFormat.markerKey] = nil
            for key in marker.keys {
                if let value = metadata[key] { others.append((key, value)) }
                metadata[key] = nil
            }
        }
        if let actor = values[ChatFormat.LineKey.actorName] {
            members.append((ChatFormat.LineKey.actorName, actor))
        } else if !session.actorName.isIdentical(to: ChatFormat.defaultActor) {
            members.append((ChatFormat.LineKey.actorName, .string(session.actorName)))
        }
        if let written = values[ChatFormat.LineKey.metadata] {
            members.append((ChatFormat.LineKey.metadata, written))
        } else if !metadata.isEmpty {
            members.append((ChatFormat.LineKey.metadata, .object(metadata)))
        }
        for (key, value) in values where key != ChatFormat.LineKey.actorName && key != ChatFormat.LineKey.metadata {
            others.append((key, value))
        }
        members += others
    }
}

/// What the marker in a session's metadata says, where it is one that an import has put there.
private struct ChatLineMarker {
    private(set) var keys: [String] = []
    private(set) var values = JSONObject()

    init?(_ session: Session) {
        guard let marker = session.metadata[ChatFormat.markerKey]?.objectValue, !marker.isEmpty else { return nil }
        for (key, value) in marker {
            switch key {
            case ChatFormat.MarkerKey.keys:
                keys = (value.arrayValue ?? []).compactMap(\.stringValue)
                guard !keys.isEmpty, keys.count == value.arrayValue?.count else { return nil }
            case ChatFormat.MarkerKey.values:
                guard let object = value.objectValue, !object.isEmpty else { return nil }
                values = object
            default:
                return nil
            }
        }
        // What stays in `metadata`, once the marker and what stood beside it are taken away.
        var metadata = session.metadata
        metadata[ChatFormat.markerKey] = nil
        for key in keys {
            guard !Self.isField(key), metadata[key] != nil else { return nil }
            metadata[key] = nil
        }
        for (key, value) in values {
            guard isSound(key, value, actorName: session.actorName, metadata: metadata) else { return nil }
        }
    }

    private static func isField(_ key: String) -> Bool {
        key == ChatFormat.LineKey.messages || key == ChatFormat.LineKey.actorName || key == ChatFormat.LineKey.metadata
    }

    private func isSound(_ key: String, _ value: JSONValue, actorName: String, metadata: JSONObject) -> Bool {
        switch key {
        case ChatFormat.LineKey.messages: false
        case ChatFormat.LineKey.actorName:
            actorName == ChatFormat.defaultActor && (value == .null || value == .string(ChatFormat.defaultActor))
        case ChatFormat.LineKey.metadata:
            metadata.isEmpty && (value == .null || value.objectValue.map(Self.isApart) ?? false)
        case ChatFormat.markerKey: true
        default: metadata[key] != nil
        }
    }

    /// Whether an import keeps such a `metadata` apart.
    private static func isApart(_ object: JSONObject) -> Bool {
        object.isEmpty || object.keys.contains(ChatFormat.markerKey)
    }
}
