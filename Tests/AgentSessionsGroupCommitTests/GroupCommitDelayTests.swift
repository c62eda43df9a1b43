import Testing

@testable import AgentSessionsGroupCommit

@Suite("Group commit delay")
struct GroupCommitDelayTests {
    @Test("A task that works alone never waits")
    func alone() {
        var policy = GroupCommitDelay()
        #expect(policy.patience(with: 0) == .zero)
        policy.committed(1, waiting: 0, in: .milliseconds(6))
        #expect(policy.patience(with: 0) == .zero)
    }

    @Test("A commit waits for the tasks that heard of the last one, until all are back")
    func comingBack() {
        var policy = GroupCommitDelay()
        policy.committed(16, waiting: 16, in: .milliseconds(6))
        #expect(policy.patience(with: 16) == .milliseconds(2))
        #expect(policy.patience(with: 32) == .zero)
        policy.committed(32, waiting: 0, in: .milliseconds(600))
        #expect(policy.patience(with: 31) == .milliseconds(4))
        policy.committed(32, waiting: 0, in: .microseconds(90))
        #expect(policy.patience(with: 1) == .zero)
    }

    @Test("Commits that were too fast recently disable the delay for some time")
    func fastCommits() {
        var policy = GroupCommitDelay(leastTime: .milliseconds(2))
        policy.committed(16, waiting: 16, in: .milliseconds(1))
        policy.committed(16, waiting: 16, in: .milliseconds(6))
        #expect(policy.patience(with: 16) == .zero)
        for _ in 0..<60 { policy.committed(16, waiting: 16, in: .milliseconds(6)) }
        #expect(policy.patience(with: 16) == .milliseconds(2))
        for _ in 0..<600 { policy.committed(16, waiting: 16, in: .milliseconds(6)) }
        policy.committed(16, waiting: 16, in: .milliseconds(3))
        #expect(policy.patience(with: 16) == .milliseconds(1))
    }

    @Test("A delay that nobody used grows shorter and recovers later")
    func patienceLost() {
        var policy = GroupCommitDelay()
        policy.committed(10, waiting: 10, in: .milliseconds(6))
        policy.gathered(10)
        #expect(policy.patience(with: 10) == .milliseconds(1))
        for _ in 0..<10 { policy.gathered(10) }
        #expect(policy.patience(with: 10) == .nanoseconds(62_500))
        policy.gathered(16)
        #expect(policy.patience(with: 10) == .milliseconds(2))
    }
}
