/// The checks that are made by walking over sessions and messages, on any store.
struct WalkedChecks: Sendable {
    var sessions = VerificationCheck("sessions", "every session can be read, and its values are valid")
    var lists = VerificationCheck("lists", "every session is in the list of its actor, and found by its id")
    var messages = VerificationCheck("messages", "every message can be read, and its values are valid")
    var sequences = VerificationCheck("sequences", "sequences are 1, 2, 3 … up to message_count, without a gap")
    var ids = VerificationCheck("message_ids", "no message id is duplicated in a session")
    var checksums = VerificationCheck("checksums", "every session has a checksum, over its canonical JSON")

    var all: [VerificationCheck] { [sessions, lists, messages, sequences, ids, checksums] }

    /// Whether something looks wrong.
    var hasProblems: Bool { all.contains { $0.problemCount > 0 } }

    mutating func add(_ part: WalkedChecks) {
        sessions.add(part.sessions)
        lists.add(part.lists)
        messages.add(part.messages)
        sequences.add(part.sequences)
        ids.add(part.ids)
        checksums.add(part.checksums)
    }
}
