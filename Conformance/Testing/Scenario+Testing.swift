public import AgentSessionsConformance
public import Testing

extension Scenario: CustomTestStringConvertible {
    /// The id, under which each scenario is shown as a test of its own.
    public var testDescription: String { id }
}

extension Scenario {
    /// Runs the scenario on the stores of a backend, and records an issue where the rule does not hold.
    ///
    /// A failure that a waiver accepts is recorded as a known issue. A scenario that was not run, or is about something
    /// that the store does not declare, is a cancelled test with the reason, as Xcode and the stream of events show it;
    /// before Swift 6.3, which has no cancelled tests, it passes.
    ///
    /// ```swift
    /// @Test(arguments: Scenario.all) func conformance(_ scenario: Scenario) async throws {
    ///     try await scenario.verify(on: stores)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - factory: Opens the stores.
    ///   - options: How to run. The seed is named in the issue; give it to repeat the run.
    ///   - sourceLocation: Where issues are recorded.
    /// - Throws: What ends a test that is cancelled.
    public func verify(
        on factory: any StoreFactory, options: ConformanceRunner.Options = ConformanceRunner.Options(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let result = await ConformanceRunner(factory, options: options).run(self)
        let comment: Comment = "\(rule) (clause \(clause), seed \(options.seed))\n\(result.message)"
        switch result.outcome {
        case .passed:
            break
        case .unsupported, .notRun:
            #if compiler(>=6.3)
            try Test.cancel("\(result.message)", sourceLocation: sourceLocation)
            #else
            break
            #endif
        case .failed where !status.isBinding(), .timedOut where !status.isBinding(),
            .crashed where !status.isBinding(), .waived:
            withKnownIssue(comment, sourceLocation: sourceLocation) {
                Issue.record(comment, sourceLocation: sourceLocation)
            }
        case .failed, .timedOut, .crashed, .unexpectedPass:
            Issue.record(comment, sourceLocation: sourceLocation)
        }
    }
}
