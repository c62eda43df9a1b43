#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The bytes at the end of an ordinary file that one writer has put there, with nobody else writing in between. These,
/// and no others, may be cut off again.
struct FileTail {
    /// A call to the system failed.
    struct Failure: Error {
        let code: Int32
    }

    private var count = 0
    /// Where the file ends, as far as this writer knows; `nil` where it is no ordinary file, or was not written to yet.
    private var end: off_t?

    /// The tail before a write: nothing of it is left where the file ends elsewhere now.
    func next(of descriptor: Int32) -> FileTail {
        var next = FileTail()
        next.end = Self.size(of: descriptor)
        next.count = next.end == end ? count : 0
        return next
    }

    /// The tail after a write of so many bytes.
    func grown(by written: Int, in descriptor: Int32) -> FileTail {
        guard let end else { return self }
        var grown = FileTail()
        grown.end = Self.size(of: descriptor)
        // Written over what the file had, or between what somebody else wrote, it is not the tail.
        grown.count = grown.end == end + off_t(written) ? count + written : 0
        return grown
    }

    /// Cuts bytes off the file.
    ///
    /// - Returns: Whether they are the tail. Where they are not, nothing is cut off.
    mutating func cutOff(_ bytes: Int, of descriptor: Int32) throws(Failure) -> Bool {
        guard let end, bytes <= count, Self.size(of: descriptor) == end else { return false }
        let rest = end - off_t(bytes)
        guard ftruncate(descriptor, rest) == 0, lseek(descriptor, rest, SEEK_SET) == rest else {
            throw Failure(code: errno)
        }
        (self.end, count) = (rest, count - bytes)
        return true
    }

    private static func size(of descriptor: Int32) -> off_t? {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return information.st_size
    }
}
