/// Where a store is: `scheme:location?name=value&name=value`.
///
/// What the location means is the backend's: a path (`sqlite:sessions.db`, `lmdb:///var/lib/app`), hosts and a
/// database (`postgres://user@host1,host2/db`), nothing (`memory:`).
public struct StoreURL: Sendable, Hashable {
    /// The backend's name, in lower case.
    public let scheme: String
    /// What stands between the scheme's colon and the question mark, as it was written. It may hold a password.
    public let location: String
    /// The parameters in the order in which they were written, percent-decoded.
    public let parameters: [Parameter]

    /// A `name=value` of the URL.
    public struct Parameter: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The value; empty where there was none.
        public let value: String
    }

    package init(scheme: String, location: String, parameters: [Parameter]) {
        self.scheme = scheme
        self.location = location
        self.parameters = parameters
    }

    /// The URL that `text` writes.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where there is no scheme, a percent escape is broken, or a
    ///   parameter has no name or comes twice.
    public init(parsing text: String) throws(StoreError) {
        guard let scheme = Self.scheme(of: text) else {
            throw StoreError(
                .invalidArgument,
                "This store URL has no scheme: write scheme:location, such as sqlite:sessions.db or memory:. "
                    + "`agent-sessions backends` shows the schemes.")
        }
        self.scheme = scheme.lowercased()
        let rest = text.unicodeScalars[scheme.endIndex...].dropFirst()
        let mark = rest.firstIndex(of: "?")
        location = String(rest[..<(mark ?? rest.endIndex)])
        let query = mark.map { rest[rest.index(after: $0)...] } ?? rest[rest.endIndex...]
        parameters = try Self.parameters(query, ShownURL(location: location, query: CollectionOfOne(String(query))))
    }

    /// What stands before the first colon, where that can be a scheme.
    static func scheme(of text: String) -> Substring? {
        // Delimiters are looked for among scalars: as a character, one with a combining mark behind it is another.
        guard let colon = text.unicodeScalars.firstIndex(of: ":"), isScheme(text[..<colon]) else { return nil }
        return text[..<colon]
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (first | 0x20) >= 0x61, (first | 0x20) <= 0x7A else { return false }
        return text.utf8.allSatisfy { byte in
            ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A) || (0x30...0x39).contains(byte) || byte == 0x2B
        }
    }

    private static func parameters(
        _ query: Substring.UnicodeScalarView, _ shown: ShownURL
    ) throws(StoreError) -> [Parameter] {
        var parameters: [Parameter] = []
        for pair in query.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try percentDecoded(Substring(halves[0]), "a parameter's name")
            guard !name.isEmpty else {
                throw StoreError(.invalidArgument, "A parameter of the store URL has no name: write ?name=value.")
            }
            guard !parameters.contains(where: { $0.name == name }) else {
                throw StoreError(
                    .invalidArgument,
                    "The store URL names \(shown.quotedName(name)) twice: give one value.\(shown.advice)")
            }
            let value =
                try halves.dropFirst().first.map { (half) throws(StoreError) in
                    try percentDecoded(Substring(half), "the value of \(shown.quotedName(name))")
                } ?? ""
            parameters.append(Parameter(name: name, value: value))
        }
        return parameters
    }

    /// The location as a path of the file system: percent-decoded, with `//` and an empty or `localhost` host taken
    /// off, so that `sqlite:///var/a.db` is `/var/a.db` and `sqlite:a.db` is `a.db`.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where the location is empty, names another host, or holds a NUL.
    public func filePath() throws(StoreError) -> String {
        var path = location.unicodeScalars[...]
        if path.starts(with: "//".unicodeScalars) {
            path = path.dropFirst(2)
            let host = path.prefix { $0 != "/" }
            guard host.isEmpty || host.elementsEqual("localhost".unicodeScalars) else {
                throw StoreError(
                    .invalidArgument,
                    "The store URL \(self) names a host, but \(scheme) stores are files of this machine: write "
                        + "\(scheme):relative/path or \(scheme):///absolute/path.")
            }
            path = path.dropFirst(host.count)
        }
        let decoded = try percentDecoded(Substring(path), "the path")
        guard !decoded.isEmpty, !decoded.utf8.contains(0) else {
            throw StoreError(
                .invalidArgument,
                "The store URL names no usable path: write \(scheme):relative/path or \(scheme):///absolute/path.")
        }
        return decoded
    }
}

/// `text` with its percent escapes undone.
///
/// - Throws: ``StoreError/Code/invalidArgument`` where an escape is broken or the bytes are not UTF-8.
package func percentDecoded(_ text: Substring, _ what: String) throws(StoreError) -> String {
    guard text.utf8.contains(0x25) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == 0x25 else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(ASCII.hexValue), let low = rest.popFirst().flatMap(ASCII.hexValue)
        else {
            throw StoreError(
                .invalidArgument, "A percent escape in \(what) of the store URL is broken: write % and two hex digits.")
        }
        bytes.append(high << 4 | low)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
        throw StoreError(.invalidArgument, "The percent escapes in \(what) of the store URL are not UTF-8.")
    }
    return decoded
}
