internal import AgentSessions
internal import AgentSessionsBenchmarks
internal import CAgentSessionsRawEngines
internal import Synchronization

internal import class Foundation.Thread

/// An open engine of the C library. Calls block, so each runs on a thread of its own, one at a time.
final class RawEngine: Sendable {
    /// What the library holds. The pointer is used by whoever holds the mutex around it, and the data that the engine
    /// points into lives as long as it does; so it may go from thread to thread.
    private struct Handle: @unchecked Sendable {
        var engine: OpaquePointer?
        var data: RawData?
    }

    private let handle: Mutex<Handle>
    private let name: String

    private init(_ engine: OpaquePointer, name: String) {
        handle = Mutex(Handle(engine: engine))
        self.name = name
    }

    static func open(_ library: RawLibrary, at scratch: RawScratchLocation) async throws(StoreError) -> RawEngine {
        try await onThread { () throws(StoreError) in
            var message = [CChar](repeating: 0, count: 512)
            let opened: OpaquePointer?
            let name: String
            switch library {
            case .sqlite:
                name = "sqlite"
                opened = raw_sqlite_open("\(scratch.folder)/raw.db", &message, message.count)
            case .lmdb:
                name = "lmdb"
                opened = raw_lmdb_open(scratch.folder, &message, message.count)
            case .libpq:
                name = "postgres"
                opened = RawServer(scratch.url).withParameters { location, keywords, values in
                    raw_libpq_open(location, keywords, values, scratch.name, &message, message.count)
                }
            }
            guard let opened else {
                throw StoreError(.unavailable, "The raw engine cannot be opened: \(text(message)).", backend: name)
            }
            return RawEngine(opened, name: name)
        }
    }

    /// The library's name of a workload; `nil` where it does not do it with so many clients.
    static func workload(_ name: String, clients: Int) -> raw_workload? {
        let writes: [String: raw_workload] = [
            "session_create": RAW_SESSION_CREATE, "message_append": RAW_MESSAGE_APPEND,
            "message_append_batch20": RAW_MESSAGE_APPEND_BATCH20, "token_update": RAW_TOKEN_UPDATE,
        ]
        let reads: [String: raw_workload] = [
            "session_get": RAW_SESSION_GET, "session_list": RAW_SESSION_LIST, "messages_tail20": RAW_MESSAGES_TAIL20,
            "messages_page_deep": RAW_MESSAGES_PAGE_DEEP,
        ]
        // Reads share nothing, so several clients of them would be several programs.
        return writes[name] ?? (clients == 1 ? reads[name] : nil)
    }

    func isDurable() async -> Bool {
        (try? await use { (engine, _) in raw_is_durable(engine) == 1 }) ?? false
    }

    func settings() async throws(StoreError) -> [StoreSetting] {
        try await use { (engine, _) throws(StoreError) in
            var lines = [CChar](repeating: 0, count: 2048)
            try Self.check(raw_settings(engine, &lines, lines.count), engine)
            return text(lines).split(separator: "\n").compactMap { line in
                let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return halves.count == 2 ? StoreSetting(String(halves[0]), String(halves[1])) : nil
            }
        }
    }

    /// - Returns: `nil` where the engine was filled before: it does not grow.
    func load(_ data: BenchmarkData, messages: Int) async throws(StoreError) -> Repetition? {
        try await use { (engine, held) throws(StoreError) -> Repetition? in
            guard held == nil else { return nil }
            let raw = RawData(data, messages: messages)
            held = raw
            var nanoseconds: UInt64 = 0
            try Self.check(raw_load(engine, raw.pointer, &nanoseconds), engine)
            return withUnsafePointer(to: nanoseconds) { sample in
                Repetition(
                    operations: raw.messages, seconds: Double(nanoseconds) / 1e9,
                    nanoseconds: UnsafeBufferPointer(start: sample, count: 1))
            }
        }
    }

    func run(_ workload: raw_workload, _ load: Load) async throws(StoreError) -> Repetition {
        try await use { (engine, _) throws(StoreError) in
            var result = raw_result()
            defer { raw_result_free(&result) }
            let code = raw_run(
                engine, workload, UInt32(load.clients), UInt64(load.warmUp / .nanoseconds(1)),
                UInt64(load.duration / .nanoseconds(1)), &result)
            try Self.check(code, engine)
            var measured = Repetition(
                operations: Int(result.operations), seconds: Double(result.nanoseconds) / 1e9,
                nanoseconds: UnsafeBufferPointer(start: result.samples, count: result.sample_count))
            if result.appended_per_lane > 0 {
                measured.problem = try Self.problem(engine, appended: Int64(result.appended_per_lane), load.clients)
            }
            return measured
        }
    }

    /// What the lanes of an append hold, compared with what was stored in them.
    private static func problem(_ engine: OpaquePointer, appended: Int64, _ lanes: Int) throws(StoreError) -> String? {
        for lane in 0..<UInt32(lanes) {
            var counter: Int64 = 0
            var rows: Int64 = 0
            try check(raw_count_lane(engine, lane, &counter, &rows), engine)
            if counter != appended || rows != appended {
                return "\(appended) messages were stored in lane \(lane), which counts \(counter) and holds \(rows)"
            }
        }
        return nil
    }

    /// The bytes of its tables; `nil` where the file system tells.
    func bytes() async -> Int? {
        let bytes = (try? await use { (engine, _) in Int(raw_bytes(engine)) }) ?? -1
        return bytes >= 0 ? bytes : nil
    }

    func close() async {
        await onThread { [self] in
            handle.withLock { handle in
                if let engine = handle.engine { raw_close(engine) }
                handle = Handle(engine: nil)
            }
        }
    }

    private func use<Result: Sendable>(
        _ body: @escaping @Sendable (OpaquePointer, inout RawData?) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await onThread { [self] () throws(StoreError) in
            try handle.withLock { (handle) throws(StoreError) in
                guard let engine = handle.engine else { throw .storeClosed(backend: name) }
                return try body(engine, &handle.data)
            }
        }
    }

    private static func check(_ code: Int32, _ engine: OpaquePointer) throws(StoreError) {
        guard code == 0 else {
            throw StoreError(
                .internalFailure, "The raw engine failed: \(String(cString: raw_error(engine))).")
        }
    }
}

/// The corpus as the C library takes it: texts one behind the other, each followed by a NUL.
final class RawData {
    let messages: Int
    let pointer: UnsafeMutablePointer<raw_data>
    private let bytes: UnsafeMutableBufferPointer<CChar>
    private let rows: UnsafeMutableBufferPointer<raw_message>
    private let ends: UnsafeMutableBufferPointer<Int>

    init(_ data: BenchmarkData, messages count: Int) {
        let (source, sourceEnds) = data.corpus.flattened()
        let layout = data.layout(of: count)
        var texts: [UInt8] = []
        var places: [(offset: Int, count: Int)] = []
        func add(_ text: String) {
            // A NUL would end a text for libpq before its time.
            let utf8 = text.utf8.filter { $0 != 0 }
            places.append((texts.count, utf8.count))
            texts += utf8
            texts.append(0)
        }
        for message in source {
            add(message.role.name)
            add(message.content)
            add(message.toolCallID ?? "")
            add(message.metadata.isEmpty ? "" : (try? message.metadata.losslessText()) ?? "")
        }
        bytes = .allocate(capacity: texts.count)
        _ = bytes.initialize(fromContentsOf: texts.map { CChar(bitPattern: $0) })
        let base = UnsafePointer(bytes.baseAddress)
        func text(_ index: Int) -> raw_text {
            raw_text(bytes: base.map { $0 + places[index].offset }, count: places[index].count)
        }
        // Conversations are repeated where the corpus has fewer than are asked for.
        let order = (0..<layout.conversations).map { $0 % sourceEnds.count }
        let picked = order.flatMap { ($0 == 0 ? 0 : sourceEnds[$0 - 1])..<sourceEnds[$0] }
        rows = .allocate(capacity: picked.count)
        _ = rows.initialize(
            fromContentsOf: picked.map { index in
                raw_message(
                    role: text(4 * index), content: text(4 * index + 1), tool_call_id: text(4 * index + 2),
                    metadata: text(4 * index + 3))
            })
        var end = 0
        ends = .allocate(capacity: order.count)
        _ = ends.initialize(
            fromContentsOf: order.map { place in
                end += sourceEnds[place] - (place == 0 ? 0 : sourceEnds[place - 1])
                return end
            })
        messages = picked.count + layout.longMessages
        pointer = .allocate(capacity: 1)
        pointer.initialize(
            to: raw_data(
                messages: UnsafePointer(rows.baseAddress), message_count: rows.count,
                ends: UnsafePointer(ends.baseAddress), conversation_count: ends.count,
                long_count: layout.longMessages, empty_count: layout.emptySessions, actor_count: data.actors))
    }

    deinit {
        pointer.deallocate()
        ends.deallocate()
        rows.deallocate()
        bytes.deallocate()
    }
}

/// The text up to the NUL of a buffer of C.
func text(_ characters: [CChar]) -> String {
    var bytes = characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}

/// Runs `body` on a thread of its own, as it blocks.
func onThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> Result
) async throws(StoreError) -> Result {
    let outcome: Swift.Result<Result, StoreError> = await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            do throws(StoreError) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try outcome.get()
}

/// Runs `body`, which does not fail, on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        Thread.detachNewThread {
            body()
            continuation.resume()
        }
    }
}
