/// The system has no thread to give.
package struct ThreadStartError: Error {
    /// The error number of `pthread_create`, such as `EAGAIN`.
    package let code: Int32
}
