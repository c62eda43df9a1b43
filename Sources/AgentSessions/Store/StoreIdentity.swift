/// Where the data of a store is. Two stores of one identity are two ways to the same data, however their URLs are
/// written.
public struct StoreIdentity: Sendable, Hashable {
    private let backend: String
    private let place: String

    /// The identity of a backend's store.
    ///
    /// - Parameter place: What the backend tells its stores apart by, such as the device and the number of a file.
    public init(backend: String, place: String) {
        self.backend = backend
        self.place = place
    }
}
