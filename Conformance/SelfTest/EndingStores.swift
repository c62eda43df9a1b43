import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stores whose rewinds end their process, each in its way, and that are right in everything else.
struct EndingStores: StoreFactory {
    enum Ending: String {
        /// As a store with a mistake in its code does.
        case traps
        /// As a store does that takes an error of its engine for a reason to give up.
        case exits
        /// On the thread of its caller, for good.
        case hangs
        /// The whole process, from which nothing is heard any more.
        case stops
        /// Nothing: what it prints must not be taken for answers.
        case prints
    }

    private let ending: Ending

    init?(_ name: String) {
        guard let ending = Ending(rawValue: name) else { return nil }
        self.ending = ending
    }

    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        EndingStore(base: MemorySessionStore(), ending: ending)
    }
}

private struct EndingStore: ForwardingSessionStore {
    let base: any SessionStore
    let ending: EndingStores.Ending

    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        switch ending {
        case .traps: fatalError("a rewind of \(request.sequence)")
        case .exits: exit(3)
        case .hangs: while true { pause() }
        case .stops: kill(getpid(), SIGSTOP)
        case .prints: print("{\"outcome\":\"failed\",\"message\":\"printed\"}")
        }
        return try await base.rewind(id, request)
    }
}
