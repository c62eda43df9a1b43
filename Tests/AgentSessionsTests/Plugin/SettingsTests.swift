import AgentSessionsMemory
import Testing

@testable import AgentSessions

@Suite("Settings and capabilities")
struct SettingsTests {
    private static let definitions = [
        SettingDefinition("mode", .choice(["full", "off"]), default: "full", "how"),
        SettingDefinition("n", .count(0...10), default: "3", "how many"),
        SettingDefinition("pages", .count(-5...5), default: "-2", "how many, or minus that"),
        SettingDefinition("size", .size(0...(1 << 42)), default: "64MiB", "how large"),
        SettingDefinition("wait", .duration(0...86_400_000), default: "5s", "how long"),
        SettingDefinition("name", .text, default: "", "what", isSecret: true),
        SettingDefinition("odd", .count(0...10), default: "none", "a default that is not of its kind"),
    ]

    private func values(_ given: [String: String]) throws(StoreError) -> SettingValues {
        try SettingValues(Self.definitions, given: given)
    }

    @Test("A setting that is not given has its default")
    func defaults() throws {
        let values = try values([:])
        #expect(try values.text("mode") == "full")
        #expect(try values.count("n") == 3)
        #expect(try values.count("pages") == -2)
        #expect(try values.bytes("size") == 64 << 20)
        #expect(try values.duration("wait") == .seconds(5))
        #expect(!values.isGiven("n"))
        #expect(try syncError { () throws(StoreError) in try values.text("nowhere") }.code == .internalFailure)
        #expect(try syncError { () throws(StoreError) in try values.count("odd") }.code == .internalFailure)
    }

    @Test(
        "Sizes have units",
        arguments: [
            ("0", 0), ("17", 17), ("17B", 17), ("2KiB", 2048), ("3MiB", 3 << 20), ("1GiB", 1 << 30), ("4TiB", 1 << 42),
        ])
    func sizes(text: String, bytes: Int) throws {
        let values = try values(["size": text])
        #expect(values.isGiven("size"))
        #expect(try values.bytes("size") == bytes)
    }

    @Test(
        "Durations have units",
        arguments: [("0ms", 0), ("250ms", 250), ("5s", 5000), ("2min", 120_000), ("24h", 86_400_000)])
    func times(text: String, milliseconds: Int) throws {
        #expect(try values(["wait": text]).duration("wait") == .milliseconds(milliseconds))
    }

    @Test(
        "The error for a value of another kind names the setting",
        arguments: [
            ("mode", "FULL"), ("mode", ""), ("n", "11"), ("n", "-1"), ("n", "+3"), ("n", "3.0"), ("n", " 3"),
            ("n", "٣"),
            ("n", "99999999999999999999"), ("pages", "-6"), ("pages", "--1"), ("size", "5TiB"), ("size", "-1"),
            ("size", "MiB"),
            ("size", "5mib"), ("size", "5 MiB"), ("size", "+5MiB"), ("size", "9223372036854775807KiB"), ("size", "5iB"),
            ("size", ""), ("wait", "5"), ("wait", ""), ("wait", "s"), ("wait", "-5s"), ("wait", "-0s"),
            ("wait", "1.5s"),
            ("wait", "25h"), ("wait", "9223372036854775807h"), ("wait", "5s\u{301}"), ("name", "a\u{0}b"),
        ])
    func refused(name: String, value: String) throws {
        let error = try syncError { () throws(StoreError) in try values([name: value]) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.hasPrefix(name))
    }

    @Test("The error for an unknown setting names it and lists the known ones")
    func unknown() throws {
        let error = try syncError { () throws(StoreError) in try values(["sise": "1"]) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("\"sise\""))
        #expect(error.message.contains("mode, n, name"))
        #expect(
            try syncError { () throws(StoreError) in try SettingValues([], given: ["x": ""]) }.message.contains("none"))
    }

    @Test("The error for a secret setting does not repeat its value")
    func secret() throws {
        let error = try syncError { () throws(StoreError) in try values(["name": "hunter2\u{0}"]) }
        #expect(!error.description.contains("hunter2"))
    }

    @Test("The allowed values are named in the units that people write")
    func allowed() {
        #expect(SettingDefinition("x", .choice(["a", "b"]), default: "a", "").allowed == "a, b")
        #expect(SettingDefinition("x", .count(1...5), default: "1", "").allowed == "a whole number from 1 to 5")
        #expect(
            SettingDefinition("x", .size(0...(1 << 30)), default: "1", "").allowed
                == "a size from 0B to 1GiB, such as 64MiB")
        #expect(
            SettingDefinition("x", .size(1000...2048), default: "1", "").allowed
                == "a size from 1000B to 2KiB, such as 64MiB")
        #expect(
            SettingDefinition("x", .duration(0...120_000), default: "1s", "").allowed
                == "a time from 0ms to 2min, such as 250ms or 5s")
        #expect(
            SettingDefinition("x", .duration(1500...3_600_000), default: "1s", "").allowed
                == "a time from 1500ms to 1h, such as 250ms or 5s")
        #expect(SettingDefinition("x", .text, default: "", "").allowed == "any text")
    }

    @Test("The common settings lower the limits and never raise them")
    func common() throws {
        let values = try SettingValues(
            CommonSettings.definitions,
            given: [
                "migrate": "require", "max_content": "1KiB", "max_metadata_depth": "3", "max_batch": "5",
                "max_page": "7",
            ])
        let context = try CommonSettings.context(
            values, basedOn: StoreContext(limits: StoreLimits(metadataBytes: 100, batchMessages: 4)))
        #expect(context.migrationPolicy == .require)
        #expect(
            context.limits
                == StoreLimits(contentBytes: 1024, metadataBytes: 100, metadataDepth: 3, batchMessages: 4, pageItems: 7)
        )
        let defaults = try CommonSettings.context(
            try SettingValues(CommonSettings.definitions), basedOn: StoreContext())
        #expect(defaults.migrationPolicy == .apply)
        #expect(defaults.limits == .standard)
        #expect(throws: StoreError.self) {
            try SettingValues(CommonSettings.definitions, given: ["max_content": "17MiB"])
        }
    }

    @Test("A capability that is not declared is unsupported")
    func abilities() throws {
        let capabilities = StoreCapabilities(durability: .powerLoss, scope: .many, abilities: [.reopen])
        try capabilities.require(.reopen, backend: "x")
        let error = try syncError { () throws(StoreError) in try capabilities.require(.multipleInstances, backend: "x")
        }
        #expect(error.code == .unsupported)
        #expect(error.description.contains("multipleInstances"))
        #expect(DurabilityTier.memory < .processCrash)
        #expect(DurabilityTier.processCrash < .powerLoss)
        #expect(MemoryBackend.capabilities.abilities.isEmpty)
    }
}

@Suite("Store errors")
struct StoreErrorTests {
    @Test("The description of a store error has its code, message, backend and native code on one line")
    func description() {
        #expect(StoreError(.busy, "Wait.").description == "busy: Wait.")
        #expect(StoreError(.busy, "Wait.", backend: "sqlite").description == "busy: Wait. [sqlite]")
        #expect(StoreError(.busy, "Wait.", nativeCode: "55P03").description == "busy: Wait. [55P03]")
        let error = StoreError(
            .busy, "Wait.", backend: "sqlite", nativeCode: "SQLITE_BUSY", cause: StoreError(.closed, "x"))
        #expect(error.description == "busy: Wait. [sqlite SQLITE_BUSY]")
        #expect((error.cause as? StoreError)?.code == .closed)
    }

    @Test("Only errors after which nothing was written are transient")
    func transient() {
        let transient: [StoreError.Code] = [.busy, .timeout, .unavailable]
        for code in transient { #expect(StoreError(code, "").isTransient) }
        for code: StoreError.Code in [
            .notFound, .alreadyExists, .conflict, .invalidArgument, .limitExceeded, .unsupportedSchemaVersion,
            .checksumMismatch, .cancelled, .closed, .corrupt, .unsupported, .migrationRequired, .newerStore,
            .outcomeUnknown, .internalFailure, StoreError.Code("ours"),
        ] {
            #expect(!StoreError(code, "").isTransient)
        }
    }
}
