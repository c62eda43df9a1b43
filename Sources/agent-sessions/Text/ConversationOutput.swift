import AgentSessions

/// Prints a session and its messages as they come.
final class ConversationOutput {
    private let console: Console
    private let asJSON: Bool
    private var count = 0

    init(_ console: Console, asJSON: Bool) {
        self.console = console
        self.asJSON = asJSON
    }

    /// Prints a page whole.
    func write(_ page: MessagePage) throws(StoreError) {
        try begin(page.session)
        for message in page.messages { try write(message) }
        try end()
    }

    /// Prints what stands before the messages.
    func begin(_ session: Session) throws(StoreError) {
        if asJSON {
            try console.output.write("{\"session\":\(try jsonText(session.json)),\"messages\":[".utf8)
        } else {
            try console.output.print(session.block)
        }
    }

    /// Prints the next message.
    func write(_ message: SessionMessage) throws(StoreError) {
        if asJSON {
            if count > 0 { try console.output.write(CollectionOfOne(UInt8(ascii: ","))) }
            try console.output.write(try jsonText(message.json).utf8)
        } else {
            try console.output.print("\n\(message.block)")
        }
        count += 1
    }

    /// Prints what stands after the messages.
    func end() throws(StoreError) {
        if asJSON { try console.output.print("]}") }
    }
}
