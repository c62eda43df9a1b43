#if Postgres
@testable import AgentSessionsPostgres
import Testing

/// What stands around the statements of a transaction, without a server.
@Suite("the framing of a transaction")
struct TransactionFramingTests {
    private func framing(prepares: Bool) -> TransactionFraming {
        var configuration = PostgresConfiguration()
        configuration.preparesStatements = prepares
        configuration.lockTimeout = .seconds(7)
        return TransactionFraming(configuration)
    }

    /// The statements with the settings that they give.
    private func texts(_ statements: [Statement]) -> [String] {
        statements.map { "\($0.sql) \(String(decoding: $0.parameters.bytes, as: UTF8.self))" }
    }

    @Test("a session of our own keeps its settings, so that a pipeline begins with none")
    func ownSession() {
        let framing = framing(prepares: true)
        let session = framing.sessionSettings.map { texts([$0])[0] }
        #expect(session?.contains("'lock_timeout'") == true && session?.contains("100ms") == true)
        #expect(session?.contains("false") == true && session?.contains("true") == false)
        #expect(framing.prelude(.brief).isEmpty)
        let full = texts(framing.prelude(.full))
        #expect(full == ["SELECT set_config('lock_timeout', $1, true) 7000ms"])
        for (kind, begin) in [
            (TransactionFraming.Kind.change, "BEGIN ISOLATION LEVEL READ COMMITTED "),
            (.snapshot, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY "),
        ] {
            #expect(texts(framing.opening(kind)) == [begin] + full)
        }
    }

    @Test("a session that others share is given nothing, and each transaction all settings, the isolation first")
    func sharedSession() {
        let framing = framing(prepares: false)
        #expect(framing.sessionSettings == nil)
        for (wait, bound) in [(LockWait.brief, "100ms"), (.full, "7000ms")] {
            let prelude = texts(framing.prelude(wait))
            #expect(prelude.count == 2 && prelude.first == "SET transaction_isolation = 'read committed' ")
            #expect(prelude.last?.hasSuffix(bound) == true && prelude.last?.contains("false") == false)
        }
        #expect(texts(framing.opening(.change)).last == texts(framing.prelude(.full)).last)
    }

    @Test("an error proves that nothing is stored, unless it ended the session at the commit, or a pooler made it up")
    func errors() {
        let framing = framing(prepares: true)
        func mayBeStored(
            _ state: String, isAtCommit: Bool, isFatal: Bool = false, isFromPooler: Bool = false
        ) -> Bool {
            framing.mayBeStored(
                after: ServerError(state: state, message: "m", isFatal: isFatal, isFromPooler: isFromPooler),
                isAtCommit: isAtCommit)
        }
        #expect(!mayBeStored("40001", isAtCommit: true))
        #expect(!mayBeStored("57P01", isAtCommit: false, isFatal: true))
        #expect(mayBeStored("57P01", isAtCommit: true, isFatal: true))
        #expect(!mayBeStored("25P03", isAtCommit: true, isFatal: true), "the session was idle")
        #expect(mayBeStored("40003", isAtCommit: false))
        #expect(mayBeStored("08006", isAtCommit: false, isFromPooler: true))
        #expect(!mayBeStored("08006", isAtCommit: false))
        #expect(!framing.isCommitted("ROLLBACK") && framing.isCommitted("COMMIT"))
    }
}
#endif
