/// Tokens that a model read and wrote, and what they cost. The totals of a session, or what is added to them.
public struct TokenUsage: Sendable, Hashable, Codable {
    /// Tokens that the model read.
    public var inputTokens: Int64
    /// Tokens that the model wrote.
    public var outputTokens: Int64
    /// The estimated cost in micro-dollars: millionths of a US dollar, a whole number, so that sums are exact.
    public var estimatedCost: Int64

    /// Nothing.
    public static let zero = TokenUsage()

    /// Usage of so many tokens.
    public init(inputTokens: Int64 = 0, outputTokens: Int64 = 0, estimatedCost: Int64 = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.estimatedCost = estimatedCost
    }

    enum CodingKeys: String, CodingKey {
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case estimatedCost = "estimated_cost"
    }

    var isNegative: Bool { inputTokens < 0 || outputTokens < 0 || estimatedCost < 0 }

    /// The sum of both.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where `increment` is negative, and
    ///   ``StoreError/Code/limitExceeded`` where a sum does not fit 64 bits.
    public func adding(_ increment: TokenUsage) throws(StoreError) -> TokenUsage {
        try increment.validateIncrement()
        return TokenUsage(
            inputTokens: try Self.sum(inputTokens, increment.inputTokens, "input_tokens"),
            outputTokens: try Self.sum(outputTokens, increment.outputTokens, "output_tokens"),
            estimatedCost: try Self.sum(estimatedCost, increment.estimatedCost, "estimated_cost"))
    }

    /// Checks that this can be added to a total.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where a part of it is negative.
    public func validateIncrement() throws(StoreError) {
        guard !isNegative else {
            throw StoreError(
                .invalidArgument,
                "Token usage is only ever added, so no part of an increment may be negative: got "
                    + "\(inputTokens) input tokens, \(outputTokens) output tokens, \(estimatedCost) micro-dollars.")
        }
    }

    private static func sum(_ total: Int64, _ increment: Int64, _ name: String) throws(StoreError) -> Int64 {
        let (sum, overflow) = total.addingReportingOverflow(increment)
        guard !overflow else {
            throw StoreError(
                .limitExceeded, "\(name) is \(total): adding \(increment) would pass the largest 64-bit integer.")
        }
        return sum
    }
}
