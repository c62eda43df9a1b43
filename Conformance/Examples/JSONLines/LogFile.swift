import AgentSessions
import Foundation

/// A file to which lines are added. It is this process's alone while it is open.
final class LogFile: Sendable {
    private let descriptor: Int32

    /// Opens the file in a folder, making both where there are none.
    ///
    /// - Throws: ``StoreError/Code/busy`` where it is open already, ``StoreError/Code/unavailable``.
    init(folder: String) throws(StoreError) {
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Self.failure("The folder cannot be made") }
        let opened = open("\(folder)/sessions.jsonl", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Self.failure("The log cannot be opened") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            // Not a property yet: an object that throws when all of its properties are set runs its deinit.
            close(opened)
            throw StoreError(
                .busy, "Another store has this folder open: a folder is for one at a time.", backend: "jsonlines")
        }
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }

    /// Gives each whole line with its number. A last line without a break was never acknowledged, and is cut off.
    func readLines(_ body: (String, Int) throws(StoreError) -> Void) throws(StoreError) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("The log cannot be read") }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        var number = 0
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            number += 1
            try body(String(decoding: rest[..<end], as: UTF8.self), number)
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty, ftruncate(descriptor, off_t(rest.startIndex)) != 0 {
            throw Self.failure("The torn end of the log cannot be cut off")
        }
    }

    /// Adds a line, and returns after the disk has it.
    func add(_ line: String) throws(StoreError) {
        let end = lseek(descriptor, 0, SEEK_END)
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // Half a line must not stand before the next one.
                let error = Self.failure("The log cannot be written")
                _ = ftruncate(descriptor, end)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        // Whether the disk has a line that it failed to sync, nobody knows.
        guard fsync(descriptor) == 0 else {
            throw StoreError(
                .outcomeUnknown, "The disk did not confirm the change. Open the store again to see.",
                backend: "jsonlines", nativeCode: "errno \(errno)")
        }
    }

    private static func failure(_ what: String) -> StoreError {
        let code = errno
        return StoreError(
            .unavailable, "\(what): \(String(cString: strerror(code))).", backend: "jsonlines",
            nativeCode: "errno \(code)")
    }
}
