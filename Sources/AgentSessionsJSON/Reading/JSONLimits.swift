/// How much JSON is taken from outside.
public struct JSONLimits: Hashable, Sendable {
    /// The most bytes of UTF-8 that a text may have. A ``JSONObject`` also keeps its own text within it, so that what
    /// was accepted once is accepted again.
    public var maximumBytes: Int

    /// The most arrays and objects that may lie within each other, the outermost included. `[[1]]` has two.
    ///
    /// Values above ``deepest`` act as ``deepest``, because reading and writing use the call stack.
    public var maximumDepth: Int

    /// The depth beyond which nothing is read or written, whatever the limits say.
    public static var deepest: Int { 512 }

    /// One mebibyte and 64 levels, the limits of metadata.
    public static var `default`: JSONLimits { JSONLimits() }

    /// Makes limits, those of metadata unless said otherwise.
    public init(maximumBytes: Int = 1 << 20, maximumDepth: Int = 64) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }

    /// The depth that reading goes by.
    var effectiveDepth: Int { min(maximumDepth, Self.deepest) }
}
