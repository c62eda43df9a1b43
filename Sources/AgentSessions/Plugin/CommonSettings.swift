/// The settings that every store has, whatever its backend.
public enum CommonSettings {
    /// The definitions: whether to migrate, and the limits that an application may lower.
    public static let definitions: [SettingDefinition] = [
        SettingDefinition(
            "migrate", .choice([MigrationPolicy.apply, .require].map(\.rawValue)), default: "auto",
            "bring an older store up to date on opening, or refuse it"),
        SettingDefinition(
            "max_content", .size(1...StoreLimits.standard.contentBytes), default: "16MiB",
            "bytes of UTF-8 in the content of a message"),
        SettingDefinition(
            "max_metadata", .size(2...StoreLimits.standard.metadataBytes), default: "1MiB",
            "bytes of JSON in metadata"),
        SettingDefinition(
            "max_metadata_depth", .count(1...StoreLimits.standard.metadataDepth), default: "64",
            "objects and arrays inside each other in metadata"),
        SettingDefinition(
            "max_batch", .count(1...StoreLimits.standard.batchMessages), default: "10000", "messages in one append"),
        SettingDefinition(
            "max_page", .count(1...StoreLimits.standard.pageItems), default: "10000", "sessions or messages in a page"),
    ]

    /// The context that these values ask for.
    public static func context(
        _ values: SettingValues, basedOn context: StoreContext
    ) throws(StoreError) -> StoreContext {
        var context = context
        context.migrationPolicy = MigrationPolicy(rawValue: try values.text("migrate")) ?? .apply
        context.limits = context.limits.lowered(
            to: StoreLimits(
                contentBytes: try values.bytes("max_content"), metadataBytes: try values.bytes("max_metadata"),
                metadataDepth: try values.count("max_metadata_depth"), batchMessages: try values.count("max_batch"),
                pageItems: try values.count("max_page")))
        return context
    }
}
