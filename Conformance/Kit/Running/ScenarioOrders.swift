import AgentSessions

/// What a process that runs scenarios is told when it starts. The rest it is told one by one: the id of a scenario, or
/// ``describe``, a line each.
struct ScenarioOrders: Sendable {
    /// What asks for what the store says of itself.
    static let describe = "describe"
    private static let verb = "scenarios "

    var seed: UInt64
    var timeLimit: Duration?
    var historyFolder: String?

    init(_ options: ConformanceRunner.Options) {
        seed = options.seed
        timeLimit = options.timeLimit
        historyFolder = options.historyFolder
    }

    /// The orders in the words of a task; `nil` where the task is another.
    init?(_ task: String) {
        guard task.hasPrefix(Self.verb),
            let orders = try? JSONObject(parsing: String(task.dropFirst(Self.verb.count))),
            let seed = orders["seed"]?.integerValue
        else { return nil }
        self.seed = UInt64(bitPattern: seed)
        timeLimit = orders["milliseconds"]?.integerValue.map { .milliseconds($0) }
        historyFolder = orders["history"]?.stringValue
    }

    /// The words of a task.
    var task: String {
        get throws {
            var members: [(String, JSONValue)] = [("seed", .integer(Int64(bitPattern: seed)))]
            if let timeLimit { members.append(("milliseconds", .integer(Int64(timeLimit / .milliseconds(1))))) }
            if let historyFolder { members.append(("history", .string(historyFolder))) }
            return try Self.verb + JSONObject(members: members).losslessText()
        }
    }

    /// How the runner of that process is to run.
    var options: ConformanceRunner.Options {
        ConformanceRunner.Options(seed: seed, timeLimit: timeLimit, historyFolder: historyFolder)
    }
}

/// What a process that runs scenarios says, a line of JSON each.
enum ScenarioAnswer: Sendable {
    /// The scenario that was asked for is under way.
    case began
    /// Something is about to be at a place, which is to be removed should the process not come to it.
    case place(StorePlace)
    /// What came of the scenario.
    case played(Outcome, Duration, message: String, didHang: Bool)
    /// What the store says of itself.
    case described(StoreDescription)

    var line: String {
        get throws { try json.losslessText() }
    }

    private var json: JSONObject {
        switch self {
        case .began: ["began": true]
        case .place(let place): ["place": .string(place.name), "folder": .string(place.folder)]
        case .played(let outcome, let duration, let message, let didHang):
            [
                "outcome": .string(outcome.rawValue), "seconds": .double(duration / .seconds(1)),
                "message": .string(message), "hung": .bool(didHang),
            ]
        case .described(let store):
            [
                "backend": .string(store.backend), "engine": .string(store.engine),
                "settings": .array(store.settings.map { [.string($0.name), .string($0.value)] }),
                "problem": store.problem.map { .string($0) } ?? .null,
            ]
        }
    }

    /// The answer of a line; `nil` where it is none.
    init?(_ line: String) {
        guard let json = try? JSONObject(parsing: line, limits: JSONLimits(maximumBytes: .max)) else { return nil }
        if json["began"] != nil {
            self = .began
        } else if let name = json["place"]?.stringValue, let folder = json["folder"]?.stringValue {
            self = .place(StorePlace(name: name, folder: folder))
        } else if let outcome = json["outcome"]?.stringValue.flatMap(Outcome.init),
            let message = json["message"]?.stringValue
        {
            self = .played(
                outcome, .seconds(json["seconds"]?.doubleValue ?? 0), message: message,
                didHang: json["hung"]?.boolValue ?? false)
        } else if let backend = json["backend"]?.stringValue, let engine = json["engine"]?.stringValue {
            let settings = (json["settings"]?.arrayValue ?? []).compactMap { pair -> StoreSetting? in
                guard let name = pair[0]?.stringValue, let value = pair[1]?.stringValue else { return nil }
                return StoreSetting(name, value)
            }
            self = .described(
                StoreDescription(
                    backend: backend, engine: engine, settings: settings, problem: json["problem"]?.stringValue))
        } else {
            return nil
        }
    }
}
