import AgentSessions
import AgentSessionsBackends

#if LMDB
import AgentSessionsLMDB
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// A store in a process of its own, for tests that race, starve or kill processes. Standard output has a line for each
// change that the store acknowledged; an error goes there too, as `error CODE`.
//
// usage: AgentSessionsStoreWriter URL followed by one of
//     open                      opens and closes
//     append SESSION COUNT      appends messages one by one and prints their sequences and ids
//     fill SESSION BYTES        appends until an error, with no file of the process above BYTES;
//                               then lifts the bound and appends once more
//     read SESSION              reads, says so, and waits to be killed
//     hold SESSION              the same inside a read transaction (LMDB)
//     replace SESSION COUNT     puts COUNT messages in the place of those of the session, says so in the
//                               middle of them, and waits to be killed
//     churn SESSION             appends under ids that do not grow, rewinds and appends the same again,
//                               renames, adds usage, makes and deletes other sessions, until it is killed
//     roam FOLDER               opens a URL that is relative to FOLDER, goes elsewhere, and works on
//     drop COUNT                opens stores and lets go of them without closing them, then prints
//                               how many threads and files the process had before and has now

/// Prints a line at once, past the buffer of standard output.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(1, bytes, bytes.count)
}

func append(
    _ count: Int, to session: ULID, through service: any SessionService
) async throws(StoreError) {
    for _ in 0..<count {
        let content = String(repeating: "x", count: 300)
        let message = try await service.appendMessage(NewMessage(.user, content), to: session)
        say("appended \(message.sequence) \(message.id)")
    }
}

/// Bounds the size of every file that this process writes. To meet the bound is an error then, and no signal.
func boundFiles(to bytes: rlim_t) {
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit()
    #if canImport(Glibc)
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = min(bytes, limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    #else
    getrlimit(RLIMIT_FSIZE, &limit)
    limit.rlim_cur = min(bytes, limit.rlim_max)
    setrlimit(RLIMIT_FSIZE, &limit)
    #endif
}

func fill(
    _ session: ULID, upTo bytes: rlim_t, through service: any SessionService
) async throws(StoreError) {
    boundFiles(to: bytes)
    do throws(StoreError) {
        try await append(100_000, to: session, through: service)
    } catch {
        say("error \(error.code)")
    }
    do throws(StoreError) {
        let batch = (0..<100).map { _ in NewMessage(.user, String(repeating: "y", count: 3000)) }
        _ = try await service.append(batch, to: session)
    } catch {
        say("error \(error.code)")
    }
    boundFiles(to: .max)
    try await append(1, to: session, through: service)
}

/// How many entries a folder of the system has.
func entries(of folder: String) -> Int {
    guard let stream = opendir(folder) else { return 0 }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil { count += 1 }
    return count
}

func drop(_ count: Int, at url: String) async throws(StoreError) {
    let threads = entries(of: "/proc/self/task")
    let files = entries(of: "/proc/self/fd")
    for _ in 0..<count {
        let store = try await BackendRegistry.standard.open(url)
        let service = store.makeService()
        for _ in 0..<5 { _ = try await service.list() }
    }
    for _ in 0..<200 where entries(of: "/proc/self/fd") > files { usleep(20_000) }
    say("threads \(threads) \(entries(of: "/proc/self/task"))")
    say("files \(files) \(entries(of: "/proc/self/fd"))")
}

/// Messages of a session that stop coming in the middle.
struct StuckMessages: MessageSource {
    let session: Session

    func makeReader() throws(StoreError) -> any MessageReader { Reader(session: session) }

    struct Reader: MessageReader {
        let session: Session
        var sequence = 0

        mutating func next() throws(StoreError) -> SessionMessage? {
            if sequence > session.messageCount / 2 {
                say("stuck")
                while true { sleep(1) }
            }
            sequence += 1
            return SessionMessage(
                id: try ULIDGenerator.shared.next(), sessionID: session.id, sequence: sequence, role: .user,
                content: String(repeating: "z", count: 300), createdAt: session.updatedAt)
        }
    }
}

func replace(_ id: ULID, by count: Int, in store: any SessionStore) async throws(StoreError) {
    guard let old = try await store.get(id) else { throw .sessionNotFound(id) }
    var new = old
    new.messageCount = count
    new.updatedAt = try old.nextRevision(at: .now())
    try await store.replace(new, messages: StuckMessages(session: new), expectedRevision: old.revision)
}

/// Changes a session, and others beside it, in every way, as one of several processes that do so.
func churn(_ id: ULID, through service: any SessionService) async throws(StoreError) {
    say("churning")
    for round in 0... {
        let messages = (0..<3).map {
            NewMessage(.user, "\(round)/\($0)", id: ULID(high: .random(in: 0 ... .max), low: 0))
        }
        do throws(StoreError) {
            _ = try await service.append(messages, to: id, usage: nil, expectedSequence: nil)
            switch round % 4 {
            case 0:
                let last = try await service.lastMessages(4, in: id).messages
                guard let first = last.first, let end = last.last else { continue }
                _ = try await service.rewind(
                    id, to: first.sequence - 1, expectedRevision: nil, expectedSequence: end.sequence)
                let again = last.reversed().map { NewMessage($0.role, $0.content, id: $0.id) }
                _ = try await service.append(Array(again), to: id, usage: nil, expectedSequence: nil)
            case 1: _ = try await service.update(id, actorName: "actor/\(Int.random(in: 0..<3))")
            case 2: _ = try await service.updateTokenUsage(id, adding: TokenUsage(inputTokens: 1))
            default:
                let other = try await service.create(actorName: "actor/\(Int.random(in: 0..<3))").id
                _ = try await service.append(messages, to: other, usage: nil, expectedSequence: nil)
                try await service.delete(other)
            }
        } catch {
            // Another was first.
            guard [.conflict, .invalidArgument, .busy, .timeout, .outcomeUnknown].contains(error.code) else {
                throw error
            }
        }
    }
}

func roam(_ folder: String, _ url: String) async throws(StoreError) {
    guard chdir(folder) == 0 else { exit(64) }
    let store = try await BackendRegistry.standard.open(url)
    let service = store.makeService(retryPolicy: .never)
    let session = try await service.create(actorName: "a/b")
    guard chdir("/") == 0 else { exit(64) }
    try await append(2, to: session.id, through: service)
    // Readers are opened when they are missed, and what is looked at now and then is looked at.
    for _ in 0..<30 {
        _ = try await service.get(session.id)
        usleep(10_000)
    }
    say("count \(try await service.get(session.id).messageCount)")
    await store.close()
}

let arguments = CommandLine.arguments
guard arguments.count > 2 else { exit(64) }
do throws(StoreError) {
    if arguments[2] == "drop" {
        try await drop(Int(arguments[3]) ?? 0, at: arguments[1])
        exit(0)
    }
    if arguments[2] == "roam" {
        try await roam(arguments[3], arguments[1])
        exit(0)
    }
    let store = try await BackendRegistry.standard.open(arguments[1])
    let service = store.makeService(retryPolicy: .never)
    say("opened")
    switch arguments[2] {
    case "append" where arguments.count == 5:
        try await append(Int(arguments[4]) ?? 0, to: ULID(parsing: arguments[3]), through: service)
    case "fill" where arguments.count == 5:
        try await fill(ULID(parsing: arguments[3]), upTo: rlim_t(arguments[4]) ?? 0, through: service)
    case "replace" where arguments.count == 5:
        try await replace(ULID(parsing: arguments[3]), by: Int(arguments[4]) ?? 0, in: store)
    case "churn" where arguments.count == 4:
        try await churn(ULID(parsing: arguments[3]), through: store.makeService())
    case "read" where arguments.count == 4:
        say("count \(try await service.get(ULID(parsing: arguments[3])).messageCount)")
        while true { sleep(1) }
    #if LMDB
    case "hold" where arguments.count == 4:
        let id = try ULID(parsing: arguments[3])
        try await (store as? LMDBSessionStore)?.read { (reader) throws(StoreError) in
            say("count \(try reader.session(id)?.messageCount ?? 0)")
            while true { sleep(1) }
        }
    #endif
    default: break
    }
    await store.close()
    say("closed")
} catch {
    say("error \(error.code) \(error.message)")
    exit(1)
}
