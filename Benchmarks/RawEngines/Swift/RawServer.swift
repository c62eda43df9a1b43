internal import AgentSessions

/// A Postgres server, as libpq is told of it.
struct RawServer: Sendable {
    private let location: String
    private let keywords: [String]
    private let values: [String]

    /// The server that a store URL names.
    init(_ url: StoreURL) {
        location = url.location
        // Of the parameters, libpq takes its own; the rest are the store's.
        keywords = url.parameters.map(\.name)
        values = url.parameters.map(\.value)
    }

    /// Lends location and parameters as C takes them, the lists ended by NULL.
    func withParameters<Result>(
        _ body: (
            UnsafePointer<CChar>, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>
        ) -> Result
    ) -> Result {
        withList(keywords[...], []) { keywords in
            withList(values[...], []) { values in
                location.withCString { body($0, keywords, values) }
            }
        }
    }

    private func withList<Result>(
        _ rest: ArraySlice<String>, _ list: [UnsafePointer<CChar>?],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        guard let first = rest.first else {
            return (list + [nil]).withUnsafeBufferPointer { buffer in
                // Not empty: it holds the NULL.
                withUnsafePointer(to: buffer) { _ in body(buffer.baseAddress.unsafelyUnwrapped) }
            }
        }
        return first.withCString { pointer in withList(rest.dropFirst(), list + [pointer], body) }
    }
}
