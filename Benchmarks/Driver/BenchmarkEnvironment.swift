public import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a benchmark ran on and with: a figure means nothing without it.
public struct BenchmarkEnvironment: Sendable {
    /// A store as it was opened.
    public struct StoreDisclosure: Sendable {
        /// The name in the results.
        public let store: String
        /// The backend.
        public let backend: String
        /// What an acknowledged change survives.
        public let tier: DurabilityTier
        /// The settings in force, read back from the engine.
        public let settings: [StoreSetting]
    }

    /// This package's version, and whether it was optimised.
    public let build: String
    /// When the benchmark began.
    public let startedAt: Timestamp
    /// The operating system and its version.
    public let system: String
    /// The processor's name, where the system tells.
    public let processor: String
    /// Processors that the system has.
    public let cores: Int
    /// Memory in bytes.
    public let memoryBytes: Int
    /// How many processes wanted a processor before the benchmark began, over the last minute; much above 0 means that
    /// the machine was shared.
    public let loadAverage: Double
    /// The filesystem of the scratch stores, such as `ext4`. A `tmpfs` has no disk to wait for.
    public let filesystem: String
    /// The conversations.
    public let corpus: String
    /// Messages and bytes of content and metadata in the corpus.
    public let corpusMessages: Int
    public let corpusBytes: Int
    /// How the benchmark was told to run.
    public let options: BenchmarkOptions
    /// The stores.
    public internal(set) var stores: [StoreDisclosure] = []
    /// Whether it was ended before its time.
    public internal(set) var isInterrupted = false

    /// Looks around.
    ///
    /// - Parameter folder: Where scratch stores are.
    init(_ options: BenchmarkOptions, corpus: Corpus, folder: String) {
        self.options = options
        self.corpus = corpus.name
        corpusMessages = corpus.messageCount
        corpusBytes = corpus.bytes
        build = "\(BuildInfo.writer) (\(Self.configuration))"
        startedAt = .now()
        system = Self.systemName()
        processor =
            SystemFile.lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?
            .split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) } ?? "unknown"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        memoryBytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        var loads = [0.0, 0.0, 0.0]
        loadAverage = getloadavg(&loads, 3) > 0 ? loads[0] : 0
        filesystem = Self.filesystem(of: folder)
    }

    /// Whether the compiler optimised this code: figures of a debug build say nothing of a store.
    public static let isOptimised: Bool = {
        var optimised = true
        assert({ optimised = false }() == ())
        return optimised
    }()

    private static var configuration: String { isOptimised ? "release" : "debug" }

    private static func systemName() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }

    /// The text of a C array of characters, up to its NUL.
    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func filesystem(of folder: String) -> String {
        #if canImport(Darwin)
        var information = statfs()
        guard statfs(folder, &information) == 0 else { return "unknown" }
        return text(information.f_fstypename)
        #else
        guard let real = realpath(folder, nil) else { return "unknown" }
        defer { free(real) }
        let path = String(cString: real)
        // The mount with the longest path that the folder lies below; of several at one path, the last covers the rest.
        var best = (length: -1, type: "unknown")
        for line in SystemFile.lines("/proc/mounts") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let mount = fields[1] == "/" ? "" : String(fields[1])
            guard path == mount || path.hasPrefix(mount + "/"), mount.utf8.count >= best.length else { continue }
            best = (mount.utf8.count, String(fields[2]))
        }
        return best.type
        #endif
    }
}

/// How a benchmark is to run.
public struct BenchmarkOptions: Sendable {
    /// The workloads.
    public var workloads: [Workload]
    /// Numbers of clients to run each workload with, in place of the workload's own.
    public var clients: [Int]?
    /// Open loops at these rates, calls a second, in place of closed ones.
    public var rates: [Double]
    /// How long each repetition of each workload is measured.
    public var duration: Duration
    /// How often.
    public var repetitions: Int
    /// Decides the corpus's expansion, what is read when, and in which order stores take turns.
    public var seed: UInt64
    /// How many messages the stores hold when they are measured; stores grow from one size to the next.
    public var sizes: [Int]

    /// How to run.
    public init(
        workloads: [Workload] = Workload.all, clients: [Int]? = nil, rates: [Double] = [],
        duration: Duration = .milliseconds(300), repetitions: Int = 5, seed: UInt64 = 1, sizes: [Int]
    ) {
        self.workloads = workloads
        self.clients = clients
        self.rates = rates
        self.duration = duration
        self.repetitions = max(1, repetitions)
        self.seed = seed
        self.sizes = sizes.sorted()
    }

    /// The time before each measurement: a quarter of it, at most a second.
    public var warmUp: Duration { min(duration / 4, .seconds(1)) }

    /// How a workload is run.
    func loads(of workload: Workload) -> [Load] {
        guard rates.isEmpty else {
            return rates.map { rate in
                Load(mode: .open(rate: rate), clients: Self.openClients, duration: duration, warmUp: warmUp)
            }
        }
        return (clients ?? workload.clients).map { count in
            Load(mode: .closed, clients: count, duration: duration, warmUp: warmUp)
        }
    }

    /// Clients that an open loop has at hand: calls beyond them wait, and pay for it.
    static let openClients = 64
}
