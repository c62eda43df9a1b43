import AgentSessions

/// What the scenarios of a run share: a folder for their places, and a watch.
final class Stage: Sendable {
    let watch: Watch
    private let root: TemporaryFolder

    init() throws {
        root = try TemporaryFolder()
        watch = try Watch()
    }

    /// A place that nobody else has.
    func makePlace() throws(StoreError) -> StorePlace {
        let folder = try TemporaryFolder(in: root.path)
        return StorePlace(name: "\(root.name)_\(folder.name)", folder: folder.path)
    }

    /// Removes the folder of a place.
    func remove(_ place: StorePlace) {
        TemporaryFolder(existing: place.folder).remove()
    }

    /// Removes everything.
    func finish() {
        watch.finish()
        root.remove()
    }
}
