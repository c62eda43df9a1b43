public import AgentSessions
import AgentSessionsMemory

/// The conversations that workloads store and read.
public struct Corpus: Sendable {
    /// Where the conversations come from, for the report.
    public let name: String
    private let messages: [NewMessage]
    /// For each conversation, the index behind its last message.
    private let ends: [Int]
    /// Bytes of content and metadata.
    public let bytes: Int

    /// The number of conversations.
    public var conversations: Int { ends.count }
    /// The number of messages.
    public var messageCount: Int { messages.count }

    init(name: String, _ conversations: [[NewMessage]]) {
        self.name = name
        messages = conversations.flatMap { $0 }
        var end = 0
        ends = conversations.map { conversation in
            end += conversation.count
            return end
        }
        bytes = messages.reduce(0) { $0 + $1.content.utf8.count + ((try? $1.metadata.utf8Count()) ?? 0) }
    }

    /// Reads chat JSON lines: an object with `messages` a line.
    ///
    /// - Throws: What an import throws, and ``AgentSessions/StoreError/Code/invalidArgument`` where no message is there.
    public static func read(_ source: DocumentSource, name: String) async throws(StoreError) -> Corpus {
        // A store in memory reads what every store reads, and checks it.
        let service = PersistentSessionService(MemorySessionStore())
        let imported = try await service.importSessions(source, format: .openai, options: ImportOptions())
        var conversations: [[NewMessage]] = []
        for id in imported.ids {
            var messages: [NewMessage] = []
            for try await message in service.messageStream(in: id) {
                messages.append(
                    NewMessage(
                        message.role, message.content, toolCallID: message.toolCallID, metadata: message.metadata))
            }
            if !messages.isEmpty { conversations.append(messages) }
        }
        guard !conversations.isEmpty else {
            throw StoreError(.invalidArgument, "The corpus \(name) holds no message: give chat JSON lines with some.")
        }
        return Corpus(name: name, conversations)
    }

    /// A corpus of at least so many messages, made of this one: conversations are drawn by `seed`, and the texts of
    /// answers and tools are put together from one to four texts of the same role, so that lengths vary as in life.
    /// The same seed gives the same corpus.
    public func expanded(to count: Int, seed: UInt64) -> Corpus {
        var random = SplitMix64(seed: seed)
        let texts = Dictionary(grouping: messages, by: \.role).mapValues { $0.map(\.content) }
        var made: [[NewMessage]] = []
        var total = 0
        while total < count {
            var conversation = Array(self.conversation(Int(random.next(below: UInt64(ends.count)))))
            for index in conversation.indices where [.assistant, .tool].contains(conversation[index].role) {
                let pool = texts[conversation[index].role] ?? []
                for _ in 0..<random.next(below: 4) {
                    conversation[index].content += "\n" + pool[Int(random.next(below: UInt64(pool.count)))]
                }
            }
            total += conversation.count
            made.append(conversation)
        }
        return Corpus(name: "\(name), expanded", made)
    }

    /// The conversation at a place, which begins again behind the last.
    func conversation(_ index: Int) -> ArraySlice<NewMessage> {
        let place = index % ends.count
        return messages[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }

    /// The message at a place, which begins again behind the last.
    func message(_ place: Int) -> NewMessage { messages[place % messages.count] }

    /// How many conversations from `first` on hold at least so many messages.
    func conversationCount(holding count: Int, from first: Int) -> Int {
        var conversations = 0
        var held = 0
        while held < count {
            held += conversation(first + conversations).count
            conversations += 1
        }
        return conversations
    }

    /// The messages and the ends of the conversations, for engines that take them as they are.
    public func flattened() -> (messages: [NewMessage], ends: [Int]) { (messages, ends) }
}

/// A generator of random numbers that gives the same on every machine: SplitMix64, from Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A number below `bound`, which is small beside 2⁶⁴, so that the remainder favours none.
    mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}
