/// One check of a verification, and what it found.
public struct VerificationCheck: Sendable {
    /// Problems that a check keeps; the rest are counted.
    public static let problemLimit = 100

    /// The name of the check, such as `orphans`.
    public let name: String
    /// What is checked, in one line.
    public let summary: String
    /// How many things were checked.
    public var examined: Int
    /// The first problems that were found, at most ``problemLimit``.
    public private(set) var problems: [VerificationProblem] = []
    /// Problems that were found, those that are not kept included.
    public private(set) var problemCount = 0

    /// A check that has found nothing yet.
    public init(_ name: String, _ summary: String, examined: Int = 0) {
        self.name = name
        self.summary = summary
        self.examined = examined
    }

    /// Records a problem.
    public mutating func record(_ problem: VerificationProblem) {
        problemCount += 1
        if problems.count < Self.problemLimit { problems.append(problem) }
    }

    /// Adds the result of a part of the same check.
    mutating func add(_ part: VerificationCheck) {
        examined += part.examined
        problemCount += part.problemCount
        problems += part.problems.prefix(Self.problemLimit - problems.count)
    }
}

/// The checks of a verification, and the damage that it found.
public struct VerificationReport: Sendable {
    /// Sessions that were read.
    public let sessions: Int
    /// Messages that were read.
    public let messages: Int
    /// The checks that were made.
    public let checks: [VerificationCheck]
    /// The damage that was found, each once, even if several checks found it; at most
    /// ``VerificationCheck/problemLimit`` of each check.
    public let problems: [VerificationProblem]

    /// A report.
    ///
    /// - Parameters:
    ///   - sessions: Sessions that were read.
    ///   - messages: Messages that were read.
    ///   - engine: The checks of the engine.
    ///   - walked: The checks that were made by walking over the store. Damage that the engine named already is
    ///     left out.
    init(sessions: Int, messages: Int, engine: [VerificationCheck], walked: [VerificationCheck]) {
        self.sessions = sessions
        self.messages = messages
        checks = engine + walked
        let known = engine.flatMap(\.problems)
        problems = known + walked.flatMap(\.problems).filter { problem in !known.contains(where: problem.isSame) }
    }

    /// Problems that were counted and not kept.
    public var omittedProblems: Int { checks.reduce(0) { $0 + $1.problemCount - $1.problems.count } }

    /// Whether nothing is wrong.
    public var isSound: Bool { checks.allSatisfy { $0.problemCount == 0 } }
}
