// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "swift-agent-sessions",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "AgentSessions", targets: ["AgentSessions", "AgentSessionsJSON"]),
        .library(name: "AgentSessionsMemory", targets: ["AgentSessionsMemory"]),
        .library(name: "AgentSessionsSQLite", targets: ["AgentSessionsSQLite"]),
        .library(name: "AgentSessionsLMDB", targets: ["AgentSessionsLMDB"]),
        .library(name: "AgentSessionsPostgres", targets: ["AgentSessionsPostgres"]),
        .library(name: "AgentSessionsBackends", targets: ["AgentSessionsBackends"]),
        .library(name: "AgentSessionsConformance", targets: ["AgentSessionsConformance"]),
        .library(name: "AgentSessionsConformanceTesting", targets: ["AgentSessionsConformanceTesting"]),
        .library(name: "AgentSessionsBenchmarks", targets: ["AgentSessionsBenchmarks"]),
        .executable(name: "agent-sessions", targets: ["agent-sessions"]),
    ],
    // A trait is an engine. The sources of a backend are compiled only where its trait is on, so that nobody
    // needs the C library of an engine that they do not use.
    traits: [
        .trait(name: "SQLite", description: "The SQLite backend; needs libsqlite3."),
        .trait(name: "LMDB", description: "The LMDB backend; needs liblmdb."),
        .trait(name: "Postgres", description: "The Postgres backend; needs libpq."),
        .default(enabledTraits: ["SQLite"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    // Names of targets are global in a build: each that a dependant's build can meet begins with AgentSessions, or with
    // CAgentSessions where it is C, so that none collides with an application's or another package's (SQLiteNIO has a
    // CSQLite). Programs for this repository alone have no product, and so no dependant meets them.
    targets: [
        .target(name: "AgentSessionsJSON"),
        .target(name: "AgentSessionsThreads"),
        .target(
            name: "AgentSessions",
            dependencies: [
                "AgentSessionsJSON", "AgentSessionsThreads",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]),
        .target(
            name: "AgentSessionsGroupCommit",
            dependencies: ["AgentSessions", .product(name: "Metrics", package: "swift-metrics")]),
        .target(name: "AgentSessionsMemory", dependencies: ["AgentSessions"]),

        .systemLibrary(
            name: "CAgentSessionsSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
        .target(
            name: "CAgentSessionsSQLiteHooks",
            dependencies: [.target(name: "CAgentSessionsSQLite", condition: .when(traits: ["SQLite"]))]),
        .target(
            name: "AgentSessionsSQLite",
            dependencies: [
                "AgentSessions", "AgentSessionsGroupCommit",
                .target(name: "CAgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "CAgentSessionsSQLiteHooks", condition: .when(traits: ["SQLite"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),

        .systemLibrary(
            name: "CAgentSessionsLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
        .target(
            name: "AgentSessionsLMDB",
            dependencies: [
                "AgentSessions", "AgentSessionsGroupCommit",
                .target(name: "CAgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),

        .systemLibrary(
            name: "CAgentSessionsLibPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .target(
            name: "AgentSessionsPostgres",
            dependencies: [
                "AgentSessions", "AgentSessionsGroupCommit",
                .target(name: "CAgentSessionsLibPQ", condition: .when(traits: ["Postgres"])),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),

        .target(
            name: "AgentSessionsBackends",
            dependencies: [
                "AgentSessions", "AgentSessionsMemory",
                .target(name: "AgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "AgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
                .target(name: "AgentSessionsPostgres", condition: .when(traits: ["Postgres"])),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        // What is measured, how, and what is said of it. It knows stores by their public protocols alone.
        .target(
            name: "AgentSessionsBenchmarks",
            dependencies: [
                "AgentSessions", "AgentSessionsMemory",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Benchmarks/Driver"),
        // The engines' own C APIs doing the same: in C, as that is what they are compared by.
        .target(
            name: "CAgentSessionsRawEngines",
            dependencies: [
                .target(name: "CAgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "CAgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
                .target(name: "CAgentSessionsLibPQ", condition: .when(traits: ["Postgres"])),
            ],
            path: "Benchmarks/RawEngines/C",
            cSettings: [
                .define("SQLite", .when(traits: ["SQLite"])), .define("LMDB", .when(traits: ["LMDB"])),
                .define("Postgres", .when(traits: ["Postgres"])),
            ]),
        .target(
            name: "AgentSessionsRawEngines",
            dependencies: ["AgentSessions", "AgentSessionsBenchmarks", "CAgentSessionsRawEngines"],
            path: "Benchmarks/RawEngines/Swift"),
        .executableTarget(
            name: "agent-sessions",
            dependencies: [
                "AgentSessions", "AgentSessionsBackends", "AgentSessionsBenchmarks", "AgentSessionsConformance",
                "AgentSessionsRawEngines",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [.embedInCode("Resources/sample-conversations.jsonl")]),

        .target(
            name: "AgentSessionsConformance",
            dependencies: ["AgentSessions", "AgentSessionsMemory"],
            path: "Conformance/Kit"),
        .target(
            name: "AgentSessionsConformanceTesting", dependencies: ["AgentSessionsConformance"],
            path: "Conformance/Testing"),
        // Wrong stores that the scenarios must catch, and the table that shows it.
        .target(
            name: "AgentSessionsMutants",
            dependencies: [
                "AgentSessions", "AgentSessionsConformance", "AgentSessionsMemory",
            ],
            path: "Conformance/Mutants"),
        .executableTarget(
            name: "conformance-selftest",
            dependencies: [
                "AgentSessions", "AgentSessionsConformance", "AgentSessionsMemory", "AgentSessionsMutants",
            ],
            path: "Conformance/SelfTest"),

        .executableTarget(
            name: "group-commit-probe", dependencies: ["AgentSessions", "AgentSessionsBackends"],
            path: "Benchmarks/Decisions/GroupCommit"),

        .testTarget(
            name: "AgentSessionsJSONTests", dependencies: ["AgentSessionsJSON", "AgentSessionsTestSupport"]),
        .testTarget(name: "AgentSessionsThreadsTests", dependencies: ["AgentSessionsThreads"]),
        .testTarget(
            name: "AgentSessionsTests",
            dependencies: [
                "AgentSessions", "AgentSessionsMemory", "AgentSessionsTestSupport",
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]),
        .testTarget(
            name: "AgentSessionsGroupCommitTests",
            dependencies: [
                "AgentSessions", "AgentSessionsGroupCommit", "AgentSessionsMemory",
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]),
        .testTarget(
            name: "AgentSessionsBackendsTests",
            dependencies: [
                "AgentSessions", "AgentSessionsBackends", "AgentSessionsMemory",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "AgentSessionsBenchmarksTests",
            dependencies: ["AgentSessions", "AgentSessionsBenchmarks", "AgentSessionsMemory"]),
        .testTarget(
            name: "AgentSessionsToolTests",
            dependencies: [
                "agent-sessions", "AgentSessions", "AgentSessionsBackends", "AgentSessionsMemory",
                "AgentSessionsTestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // The backend of docs/writing-a-backend.md, and its test target, as its author would have them.
        .target(
            name: "AgentSessionsJSONLinesExample", dependencies: ["AgentSessions"],
            path: "Conformance/Examples/JSONLines"),
        .testTarget(
            name: "AgentSessionsJSONLinesTests",
            dependencies: [
                "AgentSessionsConformance", "AgentSessionsConformanceTesting", "AgentSessionsJSONLinesExample",
            ]),
        .testTarget(
            name: "AgentSessionsConformanceTests",
            dependencies: [
                "agent-sessions", "conformance-selftest", "AgentSessions", "AgentSessionsConformance",
                "AgentSessionsConformanceTesting", "AgentSessionsMemory", "AgentSessionsTestSupport",
            ]),
        .testTarget(
            name: "AgentSessionsMutantTests",
            dependencies: [
                "AgentSessions", "AgentSessionsConformance", "AgentSessionsMemory", "AgentSessionsMutants",
            ]),
        // A program that the tests kill, starve and race: processes of its own are what it is for.
        .executableTarget(
            name: "AgentSessionsStoreWriter",
            dependencies: [
                "AgentSessions", "AgentSessionsBackends",
                .target(name: "AgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
            ],
            path: "Tests/AgentSessionsStoreWriter"),
        .target(
            name: "AgentSessionsTestSupport", dependencies: ["AgentSessions"], path: "Tests/AgentSessionsTestSupport"),
        .testTarget(
            name: "AgentSessionsSQLiteTests",
            dependencies: [
                "AgentSessions", "AgentSessionsMemory", "AgentSessionsSQLite", "AgentSessionsStoreWriter",
                "AgentSessionsTestSupport",
                .target(name: "CAgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "CAgentSessionsSQLiteHooks", condition: .when(traits: ["SQLite"])),
            ]),
        .testTarget(
            name: "AgentSessionsLMDBTests",
            dependencies: [
                "AgentSessions", "AgentSessionsLMDB", "AgentSessionsStoreWriter",
                "AgentSessionsTestSupport",
                .target(name: "CAgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
            ]),
        // A server of the tests' own.
        .target(
            name: "AgentSessionsPostgresServer",
            dependencies: [
                "AgentSessions", .target(name: "AgentSessionsPostgres", condition: .when(traits: ["Postgres"])),
            ],
            path: "Tests/AgentSessionsPostgresServer"),
        .testTarget(
            name: "AgentSessionsPostgresTests",
            dependencies: [
                "agent-sessions", "AgentSessions", "AgentSessionsBackends",
                "AgentSessionsPostgresServer", "AgentSessionsTestSupport",
                .target(name: "AgentSessionsPostgres", condition: .when(traits: ["Postgres"])),
            ]),
        // What concerns several engines: copies between them, damage to each, the built tool on each.
        .testTarget(
            name: "AgentSessionsEngineTests",
            dependencies: [
                "AgentSessions", "AgentSessionsBackends", "AgentSessionsMemory", "AgentSessionsPostgresServer",
                "AgentSessionsStoreWriter", "AgentSessionsTestSupport", "agent-sessions",
                .target(name: "AgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "AgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
                .target(name: "AgentSessionsPostgres", condition: .when(traits: ["Postgres"])),
                .target(name: "CAgentSessionsSQLite", condition: .when(traits: ["SQLite"])),
                .target(name: "CAgentSessionsLMDB", condition: .when(traits: ["LMDB"])),
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// Targets of C have no Swift to set.
for target in package.targets where !target.name.hasPrefix("CAgentSessions") {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
}

// A target that imports AgentSessions has AgentSessionsJSON with it, and may use AgentSessionsThreads. SwiftPM compiles a
// target again when a module changes that is among its own dependencies, but not when one further away does: so each
// target names all three.
for target in package.targets {
    let importsCore = target.dependencies.contains { dependency in
        if case .byNameItem("AgentSessions", _) = dependency { true } else { false }
    }
    if importsCore { target.dependencies += ["AgentSessionsJSON", "AgentSessionsThreads"] }
}
