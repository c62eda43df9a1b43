#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import Testing

@Suite("Stored values in Postgres")
struct StoredValueTests {
    private func stored(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        TextEscape.append(text, to: &bytes)
        return bytes
    }

    private func read(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBufferPointer { TextEscape.text($0) }
    }

    @Test("A text without U+0000 and U+0001 is stored unchanged")
    func plain() {
        for text in ["", "hello", "é👩‍👧", "\\x00", "\u{2}"] {
            #expect(stored(text) == Array(text.utf8))
            #expect(read(stored(text)) == text)
        }
    }

    @Test("Every other text survives a round trip and is stored without a zero byte")
    func escaped() {
        for text in ["\u{0}", "\u{1}", "0\u{0}0", "\u{1}0", "\u{1}\u{0}1", "a\u{0}é\u{1}"] {
            #expect(!stored(text).contains(0))
            #expect(read(stored(text)).map { Array($0.utf8) } == Array(text.utf8))
        }
        #expect(Set(["\u{0}", "\u{1}0", "\u{1}", "0"].map(stored)).count == 4)
    }

    @Test(
        "Values that this package did not write are not read",
        arguments: [[1], [1, 0x32], [0x61, 1, 1], [0xFF], [1, 0x30, 0xFF]] as [[UInt8]])
    func damaged(_ bytes: [UInt8]) {
        #expect(read(bytes) == nil)
    }

    @Test("Times keep their microseconds, and infinity is not a time")
    func times() {
        for time in [Timestamp.earliest, .latest, .now()] {
            #expect(PostgresTime.time(PostgresTime.stored(time)) == time)
        }
        #expect(PostgresTime.time(.max) == nil)
        #expect(PostgresTime.time(.min) == nil)
    }

    @Test("The description of a configuration shows no password")
    func noPassword() {
        let configuration = PostgresConfiguration(connection: [
            "host": "h", "password": "hunter2", "sslpassword": "hunter2",
        ])
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("host=h"))
        }
        let failure = ConnectFailure("bad hunter2 here", needsPassword: true, secrets: ["hunter2", ""]).storeError
        #expect(!failure.message.contains("hunter2"))
        #expect(failure.isRefusedLogin)
    }

    @Test(
        "Each SQLSTATE has its error code",
        arguments: [
            ("40001", StoreError.Code.busy), ("40P01", .busy), ("55P03", .busy), ("57014", .timeout),
            ("57P01", .unavailable), ("57P02", .unavailable), ("57P03", .unavailable), ("08006", .unavailable),
            ("53300", .unavailable), ("53100", .unavailable), ("25006", .unavailable), ("28P01", .unavailable),
            ("3D000", .unavailable), ("26000", .unavailable), ("42501", .unavailable), ("42P01", .corrupt),
            ("22003", .limitExceeded), ("23503", .corrupt), ("XX001", .corrupt), ("0A000", .internalFailure),
            ("58030", .unavailable), ("25P03", .unavailable), ("25P04", .timeout), ("54000", .limitExceeded),
        ])
    func states(_ state: String, _ code: StoreError.Code) {
        let error = ServerError(state: state, message: "m")
        #expect(error.storeError.code == code)
        #expect(error.storeError.nativeCode == state)
    }

    @Test("A fatal error of the server is unavailable and may pass")
    func fatal() {
        for state in ["XX000", "58030", "0A000"] {
            #expect(ServerError(state: state, message: "m", isFatal: true).storeError.code == .unavailable)
        }
    }

    @Test("A change that is lost after it was sent has an unknown outcome, and a read does not")
    func outcomes() {
        let sent = PipelineError.lost(detail: "x", state: "57P01", mayBeStored: true, timedOut: false)
        #expect(sent.writeError.code == .outcomeUnknown)
        #expect(sent.readError.code == .unavailable)
        let unsent = PipelineError.lost(detail: "x", state: nil, mayBeStored: false, timedOut: false)
        #expect(unsent.writeError.code == .unavailable)
        let silent = PipelineError.lost(detail: "x", state: nil, mayBeStored: false, timedOut: true)
        #expect(silent.writeError.code == .timeout)
        let alone = PipelineError.unconfirmed(detail: "x")
        #expect(alone.writeError.code == .outcomeUnknown)
        #expect(alone.readError.code == .unavailable)
    }

    @Test("Errors at a commit tell whether they end it and whether its outcome is known")
    func errorsAtCommit() {
        func error(_ state: String, fatal: Bool = false, pooler: Bool = false) -> ServerError {
            ServerError(state: state, message: "m", isFatal: fatal, isFromPooler: pooler)
        }
        #expect(!error("23505").endsCommit)
        #expect(!error("40001").endsCommit)
        #expect(error("57P01", fatal: true).endsCommit)
        #expect(error("58030", fatal: true).endsCommit)
        #expect(!error("25P03", fatal: true).endsCommit)
        #expect(!error("40001").leavesOutcomeOpen)
        #expect(error("40003").leavesOutcomeOpen)
        #expect(error("08007").leavesOutcomeOpen)
        #expect(error("08P01", pooler: true).leavesOutcomeOpen)
        #expect(error("42601", fatal: true, pooler: true).leavesOutcomeOpen)
        // An error without a place in the server's source is a refused statement too.
        #expect(!error("23505", pooler: true).leavesOutcomeOpen)
    }

    @Test("Schema names are quoted and checked")
    func schemas() throws {
        #expect(try SchemaName("a\"b").table("t") == "\"a\"\"b\".\"t\"")
        for name in ["", "pg_x", "PG_catalog", "a\u{0}", String(repeating: "x", count: 64)] {
            #expect(throws: StoreError.self) { try SchemaName(name) }
        }
    }
}
#endif
