#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A call to the system failed.
package struct SystemError: Error, CustomStringConvertible {
    /// The error number, such as `ENOENT`.
    package let number: Int32

    package init(_ number: Int32) {
        self.number = number
    }

    /// What the system says of it, such as `No such file or directory`.
    package var description: String { String(cString: strerror(number)) }

    /// Whether a descriptor that does not block has no bytes to read, or no room for more.
    package var isNotReady: Bool { number == EAGAIN || number == EWOULDBLOCK }
}

extension StoreError {
    /// A call to the system failed.
    ///
    /// - Parameter what: What could not be done, to begin a sentence with.
    package static func system(_ what: String, _ error: SystemError, code: Code = .unavailable) -> StoreError {
        StoreError(code, "\(what): \(error).", nativeCode: "errno \(error.number)")
    }
}
