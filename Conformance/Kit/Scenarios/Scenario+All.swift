extension Scenario {
    /// Every scenario of the kit, group by group.
    public static let all: [Scenario] = creation
}
