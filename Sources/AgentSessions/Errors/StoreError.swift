/// What went wrong in a session store, and what to do about it.
///
/// Every function of this package that can fail throws this one type. ``code`` is for programs, ``message`` for
/// people: it names what was given, what is allowed and what to do. Neither holds a password, a key or the content
/// of a message, so an error can be logged as it is.
public struct StoreError: Error, Sendable {
    /// What kind of failure this is. New kinds may come with a new version; treat one that you do not know as
    /// ``internalFailure``.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code, as logs and reports show it.
        public let description: String

        /// A code of this name. Backends outside this package may add their own.
        public init(_ name: String) { description = name }

        /// There is no session, or no message, of that id.
        public static let notFound = Code("notFound")
        /// The id that was to be created is in the store already.
        public static let alreadyExists = Code("alreadyExists")
        /// The store is not in the state that the caller expected: another writer was first.
        public static let conflict = Code("conflict")
        /// A value breaks a rule that holds for every store.
        public static let invalidArgument = Code("invalidArgument")
        /// A value is larger than the store, or its configuration, allows.
        public static let limitExceeded = Code("limitExceeded")
        /// An export document has a schema version that this build does not read.
        public static let unsupportedSchemaVersion = Code("unsupportedSchemaVersion")
        /// An export document is not what its checksum was made from.
        public static let checksumMismatch = Code("checksumMismatch")
        /// A lock was not to be had in time. Nothing was written.
        public static let busy = Code("busy")
        /// A bound on time was reached. Nothing was written.
        public static let timeout = Code("timeout")
        /// The task was cancelled before the operation began. Nothing was written.
        public static let cancelled = Code("cancelled")
        /// The store was closed.
        public static let closed = Code("closed")
        /// Something in the store is not what the store wrote.
        public static let corrupt = Code("corrupt")
        /// The backend does not have this ability.
        public static let unsupported = Code("unsupported")
        /// The store's tables are older than the build, and the configuration forbids to migrate them on opening.
        public static let migrationRequired = Code("migrationRequired")
        /// The store was written by a newer build.
        public static let newerStore = Code("newerStore")
        /// The engine, its file or its server cannot be reached or written. Nothing was written.
        public static let unavailable = Code("unavailable")
        /// It is not known whether the change was stored.
        public static let outcomeUnknown = Code("outcomeUnknown")
        /// A failure that fits no other code; a defect of this package or of the engine.
        public static let internalFailure = Code("internalFailure")
    }

    // One reference, so that typed throws pass a word and the path without errors stays free of copies.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let backend: String?
        let nativeCode: String?
        let cause: (any Error)?

        init(code: Code, message: String, backend: String?, nativeCode: String?, cause: (any Error)?) {
            self.code = code
            self.message = message
            self.backend = backend
            self.nativeCode = nativeCode
            self.cause = cause
        }
    }

    private let storage: Storage

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: What was given, what is allowed, what to do. Never a secret, never the content of a message.
    ///   - backend: The name of the backend that failed, where it was one.
    ///   - nativeCode: The engine's own name for the failure: `SQLITE_*`, a SQLSTATE, `MDB_*`.
    ///   - cause: The error that led to this one.
    public init(
        _ code: Code, _ message: String, backend: String? = nil, nativeCode: String? = nil, cause: (any Error)? = nil
    ) {
        storage = Storage(code: code, message: message, backend: backend, nativeCode: nativeCode, cause: cause)
    }

    /// The kind of failure.
    public var code: Code { storage.code }
    /// What went wrong and what to do, for people.
    public var message: String { storage.message }
    /// The name of the backend that failed; `nil` where the core refused before a backend was asked.
    public var backend: String? { storage.backend }
    /// The engine's own name for the failure: `SQLITE_*`, a SQLSTATE, `MDB_*`.
    public var nativeCode: String? { storage.nativeCode }
    /// The error that led to this one.
    public var cause: (any Error)? { storage.cause }

    /// Whether the same call, made again, may succeed, and nothing was written by the call that failed.
    public var isTransient: Bool {
        code == .busy || code == .timeout || code == .unavailable
    }
}

extension StoreError: CustomStringConvertible {
    /// The code, the message, and where known the backend and its native code, on one line.
    public var description: String {
        var text = "\(code): \(message)"
        if let backend, let nativeCode {
            text += " [\(backend) \(nativeCode)]"
        } else if let backend {
            text += " [\(backend)]"
        } else if let nativeCode {
            text += " [\(nativeCode)]"
        }
        return text
    }
}
