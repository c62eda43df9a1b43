/// A chat line without its messages.
struct ChatLine {
    /// `nil` for a line without a name.
    var actorName: String?
    /// Without members for a line without `metadata`.
    var metadata: JSONObject
    /// The other keys.
    var others: JSONObject

    private static let keys = "keys"
    private static let values = "values"

    // MARK: In

    /// The metadata of the session, which holds everything that the line has.
    var sessionMetadata: JSONObject {
        if actorName == nil, metadata.isEmpty, others.isEmpty { return metadata }
        var (all, beside, values) = (metadata, others.parsed, JSONObject(sortedMembers: []))
        if let actorName, actorName.isIdentical(to: ChatFormat.defaultActor) {
            values[ChatFormat.LineKey.actorName] = .string(actorName)
        }
        let hasRoom = { [taken = metadata.parsed] (key: String) in taken[key] == nil && key != ChatFormat.traceKey }
        let keys = beside.keys.filter(hasRoom)
        if !beside.isEmpty {
            values = JSONObject(members: (beside.filter { !hasRoom($0.key) } + values).map { ($0.key, $0.value) })
            beside = JSONObject(sortedMembers: beside.filter { hasRoom($0.key) })
            all = JSONObject(members: (metadata.members + beside.members).map { ($0.key, $0.value) })
        }
        if let own = metadata[ChatFormat.traceKey],
            !keys.isEmpty || !values.isEmpty || Self(tracedIn: all, of: actorName ?? ChatFormat.defaultActor) != nil
        {
            values[ChatFormat.LineKey.metadata] = [ChatFormat.traceKey: own]
            all[ChatFormat.traceKey] = nil
        }
        var trace = JSONObject(sortedMembers: [])
        if !keys.isEmpty { trace[Self.keys] = .array(keys.map { .string($0) }) }
        if !values.isEmpty { trace[Self.values] = .object(values) }
        if !trace.isEmpty { all[ChatFormat.traceKey] = .object(trace) }
        return all
    }

    // MARK: Out

    /// The line of a session.
    init(_ session: Session) {
        self =
            Self(tracedIn: session.metadata, of: session.actorName)
            ?? Self(actorName: Self.name(session.actorName), metadata: session.metadata, others: JSONObject())
    }

    init(actorName: String?, metadata: JSONObject, others: JSONObject) {
        self.actorName = actorName
        self.metadata = metadata
        self.others = others
    }

    /// The line that a session was imported from. `nil` without a trace, and where importing the line would leave another
    /// trace: an application made it, or changed the metadata since.
    private init?(tracedIn metadata: JSONObject, of actorName: String) {
        guard let trace = metadata[ChatFormat.traceKey]?.objectValue else { return nil }
        let keys = trace[Self.keys]?.arrayValue?.compactMap(\.stringValue) ?? []
        var values = (trace[Self.values]?.objectValue ?? JSONObject()).parsed
        let beside = JSONObject(members: keys.map { ($0, .null) })
        var rest = JSONObject(sortedMembers: metadata.filter { beside[$0.key] == nil })
        rest[ChatFormat.traceKey] = values[ChatFormat.LineKey.metadata]?[ChatFormat.traceKey]
        self.init(
            actorName: values[ChatFormat.LineKey.actorName]?.stringValue ?? Self.name(actorName), metadata: rest,
            others: JSONObject())
        (values[ChatFormat.LineKey.actorName], values[ChatFormat.LineKey.metadata]) = (nil, nil)
        let named = metadata.filter { beside[$0.key] != nil }
        others = JSONObject(members: (named + values).map { ($0.key, $0.value) })
        guard ChatFormat.LineKey.all.allSatisfy({ others[$0] == nil }), !isNative, sessionMetadata == metadata,
            actorName.isIdentical(to: self.actorName ?? ChatFormat.defaultActor)
        else { return nil }
    }

    /// Whether it would be taken for a native document.
    private var isNative: Bool {
        others[NativeDocument.Key.schemaVersion.rawValue] != nil && others[NativeDocument.Key.checksum.rawValue] != nil
    }

    private static func name(_ actorName: String) -> String? {
        actorName.isIdentical(to: ChatFormat.defaultActor) ? nil : actorName
    }

    /// Appends the members, each before a comma.
    func append(into bytes: inout [UInt8]) throws(JSONError) {
        var members = others.members
        if !metadata.isEmpty { members.insert((ChatFormat.LineKey.metadata, .object(metadata)), at: 0) }
        if let actorName { members.insert((ChatFormat.LineKey.actorName, .string(actorName)), at: 0) }
        for (key, value) in members {
            CanonicalJSON.appendString(key, into: &bytes)
            bytes.append(ASCII.colon)
            try LosslessJSON.append(value, into: &bytes)
            bytes.append(ASCII.comma)
        }
    }
}

extension JSONObject {
    /// The object as its members, of which each is found in logarithmic time.
    fileprivate var parsed: JSONObject { JSONObject(sortedMembers: members) }
}
