#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// An attempt to connect as `PQconnectdb` does, with the server's notices received from the first on.
///
/// libpq tries the hosts of its list in turn, and the addresses of each. But the caller that polls has to bound how long
/// each of them may take, and cannot tell libpq to go on to the next. So after an address that is late, a new attempt
/// begins with the rest of the list.
struct ConnectionAttempt {
    typealias Parameters = [(keyword: String, value: String)]

    private enum Outcome {
        case connected
        case failed(String)
        case late(ServerAddress)
    }

    /// OpenSSL would cut off a longer one, with a message on standard error.
    private static let longestKeyPassword = 1023

    private let handle: OpaquePointer
    private let notices: ServerNotices
    private let clock = ContinuousClock()

    /// Connects to the first host that answers. Blocks the calling thread.
    ///
    /// - Throws: ``StoreError/Code/unavailable``, with what libpq says; ``StoreError/Code/invalidArgument``.
    static func connect(_ parameters: Parameters) throws(StoreError) -> (OpaquePointer, ServerNotices) {
        guard parameters.allSatisfy({ $0.keyword != "sslpassword" || $0.value.utf8.count <= longestKeyPassword }) else {
            throw StoreError(
                .invalidArgument,
                "The sslpassword is too long: OpenSSL accepts at most \(longestKeyPassword) bytes.",
                backend: PostgresBackend.name)
        }
        let passfile = Passfile.ignored(by: parameters)
        var parameters = parameters
        // libpq would report it on standard error, and go on without it.
        if passfile != nil { parameters.replace("passfile", with: Passfile.none) }
        var failures: [String] = []
        while true {
            let attempt = try ConnectionAttempt(parameters)
            switch attempt.poll(bound: bound(in: parameters)) {
            case .connected:
                return (attempt.handle, attempt.notices)
            case .failed(let message):
                failures.append(message)
            case .late(let address):
                failures.append("\(address) did not answer within connect_timeout")
                let rest = ServerAddress.list(attempt.options()).following(address)
                guard rest.isEmpty else {
                    attempt.close()
                    parameters.replace("host", with: rest.map(\.host).joined(separator: ","))
                    parameters.replace("hostaddr", with: rest.map(\.hostAddress).joined(separator: ","))
                    parameters.replace("port", with: rest.map(\.port).joined(separator: ","))
                    continue
                }
            }
            let needsPassword = PQconnectionNeedsPassword(attempt.handle) != 0
            attempt.close()
            if let passfile, needsPassword { failures.append(passfile) }
            throw ConnectFailure(
                failures.joined(separator: "; "), needsPassword: needsPassword, secrets: secrets(of: parameters)
            ).storeError
        }
    }

    /// Begins to connect.
    private init(_ parameters: Parameters) throws(StoreError) {
        let strings = parameters.map { (strdup($0.keyword), strdup($0.value)) }
        defer {
            for (keyword, value) in strings {
                free(keyword)
                free(value)
            }
        }
        let keywords = strings.map { UnsafePointer($0.0) } + [nil]
        let values = strings.map { UnsafePointer($0.1) } + [nil]
        guard let handle = PQconnectStartParams(keywords, values, 0) else {
            throw StoreError(.unavailable, "libpq is out of memory.", backend: PostgresBackend.name)
        }
        self.handle = handle
        notices = ServerNotices(of: handle)
    }

    /// Gives up. The object that receives the notices has to live until then.
    private func close() {
        withExtendedLifetime(notices) { PQfinish(handle) }
    }

    /// Continues until the connection is open, has failed, or an address takes too long.
    ///
    /// - Parameter bound: How long each address may take; `nil` for no bound.
    private func poll(bound: Duration?) -> Outcome {
        var address = ServerAddress(of: handle)
        var deadline = bound.map { clock.now + $0 }
        var events = Socket.Events.writable
        guard PQstatus(handle) != CONNECTION_BAD else { return .failed(message) }
        while true {
            let now = clock.now
            if let deadline, now >= deadline { return .late(address) }
            if Socket.wait(handle, for: events, timeout: deadline.map { $0 - now } ?? .seconds(60)) == .nothing {
                continue
            }
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: return .connected
            case PGRES_POLLING_FAILED: return .failed(message)
            case PGRES_POLLING_READING: events = .readable
            default: events = .writable
            }
            let current = ServerAddress(of: handle)
            if current != address {
                address = current
                deadline = bound.map { clock.now + $0 }
            }
        }
    }

    private var message: String { oneLine(PQerrorMessage(handle).map { String(cString: $0) } ?? "no reason given") }

    /// The options of the connection, including those that libpq has from its environment and service file.
    private func options() -> [String: String] {
        guard let options = PQconninfo(handle) else { return [:] }
        defer { PQconninfoFree(options) }
        return ConnectionSettings.values(of: options)
    }

    private static func bound(in parameters: Parameters) -> Duration? {
        let seconds = parameters.last { $0.keyword == "connect_timeout" }.flatMap { Int($0.value) } ?? 0
        return seconds > 0 ? .seconds(seconds) : nil
    }

    private static func secrets(of parameters: Parameters) -> [String] {
        parameters.filter { $0.keyword == "password" || $0.keyword == "sslpassword" }.map(\.value)
    }
}

extension ConnectionAttempt.Parameters {
    fileprivate mutating func replace(_ keyword: String, with value: String) {
        removeAll { $0.keyword == keyword }
        append((keyword, value))
    }
}
#endif
