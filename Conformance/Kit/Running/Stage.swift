import AgentSessions

/// What the scenarios of a run share: a folder for their places, and a watch.
final class Stage: Sendable {
    let watch: Watch
    private let root: TemporaryFolder
    private let made: (@Sendable (StorePlace) -> Void)?

    /// Makes the folder and starts the watch.
    ///
    /// - Parameters:
    ///   - parent: Where the folder is to be; without one, in the system's folder for temporary files.
    ///   - made: Told each place before anybody uses it.
    init(in parent: String? = nil, made: (@Sendable (StorePlace) -> Void)? = nil) throws {
        self.made = made
        root = try TemporaryFolder(in: parent)
        watch = try Watch()
        Yardstick.shared.begin()
    }

    /// A place that nobody else has.
    func makePlace() throws(StoreError) -> StorePlace {
        let folder = try TemporaryFolder(in: root.path)
        let place = StorePlace(name: "\(root.name)_\(folder.name)", folder: folder.path)
        made?(place)
        return place
    }

    /// Removes the folder of a place.
    func remove(_ place: StorePlace) {
        TemporaryFolder(existing: place.folder).remove()
    }

    /// Removes everything.
    func finish() {
        Yardstick.shared.end()
        watch.finish()
        root.remove()
    }
}
