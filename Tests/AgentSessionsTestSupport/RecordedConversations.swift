package import Foundation

/// Two hundred recorded conversations in the chat format. They lie beside the project where it is developed, and are no
/// part of it.
package enum RecordedConversations {
    /// Their file, or `nil` if they are not on this machine.
    package static let path: String? = {
        let file = projectFolder.deletingLastPathComponent().appending(path: "shared/data/tau-airline.jsonl")
        let path = file.path(percentEncoded: false)
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }()

    /// The folder of the project.
    package static let projectFolder = (0..<3).reduce(URL(filePath: #filePath)) { folder, _ in
        folder.deletingLastPathComponent()
    }
}
