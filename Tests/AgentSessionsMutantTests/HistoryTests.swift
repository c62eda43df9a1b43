import AgentSessionsConformance
import Testing

@Suite("History checker")
struct HistoryTests {
    /// Calls one after the other, each with its beginning and its end.
    private static func history(_ calls: (Int, History.Operation, History.Kind)...) -> History {
        History(
            calls.flatMap { client, operation, kind in
                [History.Event(client, operation, .invoke), History.Event(client, operation, kind)]
            })
    }

    private static let one = History.Operation.append(list: 0, elements: [1])
    private static let two = History.Operation.append(list: 0, elements: [2])
    private static let batch = History.Operation.append(list: 0, elements: [3, 4])
    private static let read = History.Operation.read(list: 0)

    private static func seen(_ elements: Int...) -> History.Kind {
        .read(elements: elements, sequences: Array(1..<(elements.count + 1)))
    }

    @Test("A correct history has no problem")
    func right() {
        let history = Self.history(
            (0, Self.one, .appended(sequences: [1])), (1, Self.read, Self.seen(1)),
            (0, Self.batch, .appended(sequences: [2, 3])), (1, Self.two, .info), (2, Self.read, Self.seen(1, 3, 4, 2)))
        #expect(history.anomalies() == [])
    }

    @Test("Overlapping calls may take effect in either order")
    func overlap() {
        let history = History([
            .init(0, Self.one, .invoke), .init(1, Self.two, .invoke), .init(2, Self.read, .invoke),
            .init(3, Self.read, .invoke), .init(2, Self.read, Self.seen(2, 1)), .init(3, Self.read, Self.seen()),
            .init(0, Self.one, .appended(sequences: [2])), .init(1, Self.two, .appended(sequences: [1])),
        ])
        #expect(history.anomalies() == [])
    }

    @Test("A call without a known end may have taken effect or not")
    func open() {
        let begun = [History.Event(0, Self.one, .invoke)]
        #expect(History(begun + Self.history((1, Self.read, Self.seen())).events).anomalies() == [])
        #expect(History(begun + Self.history((1, Self.read, Self.seen(1))).events).anomalies() == [])
    }

    @Test("Each kind of violation has its name")
    func wrong() {
        func expect(_ anomaly: History.Anomaly, _ history: History, _ location: SourceLocation = #_sourceLocation) {
            #expect(history.anomalies().contains(anomaly), sourceLocation: location)
        }
        let acknowledged = History.Kind.appended(sequences: [1])
        expect(.lost(element: 1, list: 0), Self.history((0, Self.one, acknowledged), (1, Self.read, Self.seen())))
        expect(
            .doubled(element: 1, list: 0), Self.history((0, Self.one, acknowledged), (1, Self.read, Self.seen(1, 1))))
        expect(
            .doubled(element: 2, list: 0), Self.history((0, Self.one, acknowledged), (1, Self.two, acknowledged)))
        expect(
            .gap(sequences: [1, 3], list: 0),
            Self.history(
                (0, Self.one, acknowledged), (0, Self.two, .info),
                (1, Self.read, .read(elements: [1, 2], sequences: [1, 3]))))
        expect(
            .forked(list: 0, left: [1, 2], right: [2, 1]),
            Self.history(
                (0, Self.one, .info), (1, Self.two, .info), (2, Self.read, Self.seen(1, 2)),
                (2, Self.read, Self.seen(2, 1))))
        expect(
            .stale(list: 0, had: 1, has: 0),
            Self.history((0, Self.one, .info), (1, Self.read, Self.seen(1)), (2, Self.read, Self.seen())))
        expect(
            .torn(elements: [3, 4], list: 0), Self.history((0, Self.batch, .info), (1, Self.read, Self.seen(3))))
        expect(
            .torn(elements: [3, 4], list: 0),
            Self.history((0, Self.batch, .info), (1, Self.two, .info), (1, Self.read, Self.seen(3, 2, 4))))
        expect(.invented(element: 1, list: 0), Self.history((0, Self.one, .fail), (1, Self.read, Self.seen(1))))
        expect(.invented(element: 9, list: 0), Self.history((1, Self.read, Self.seen(9))))
        expect(
            .invented(element: 1, list: 0), Self.history((1, Self.read, Self.seen(1)), (0, Self.one, acknowledged)))
        expect(
            .reordered(first: 1, second: 2, list: 0),
            Self.history((0, Self.one, .appended(sequences: [2])), (1, Self.two, acknowledged)))
        expect(
            .misplaced(element: 1, list: 0, acknowledged: 2, found: 1),
            Self.history((0, Self.one, .appended(sequences: [2])), (1, Self.read, Self.seen(1))))
    }

    @Test("The lists of a history are checked independently of each other")
    func lists() {
        let other = History.Operation.read(list: 1)
        #expect(Self.history((0, Self.one, .appended(sequences: [1])), (1, other, Self.seen())).anomalies() == [])
    }

    @Test("A history is written as EDN with one map per line")
    func edn() {
        let history = Self.history(
            (0, Self.batch, .appended(sequences: [1, 2])), (1, Self.read, Self.seen(3, 4)), (0, Self.one, .fail),
            (2, Self.two, .info))
        #expect(
            history.edn == """
                {:index 0, :process 0, :type :invoke, :f :txn, :value [[:append 0 3] [:append 0 4]]}
                {:index 1, :process 0, :type :ok, :f :txn, :value [[:append 0 3] [:append 0 4]]}
                {:index 2, :process 1, :type :invoke, :f :txn, :value [[:r 0 nil]]}
                {:index 3, :process 1, :type :ok, :f :txn, :value [[:r 0 [3 4]]]}
                {:index 4, :process 0, :type :invoke, :f :txn, :value [[:append 0 1]]}
                {:index 5, :process 0, :type :fail, :f :txn, :value [[:append 0 1]]}
                {:index 6, :process 2, :type :invoke, :f :txn, :value [[:append 0 2]]}
                {:index 7, :process 2, :type :info, :f :txn, :value [[:append 0 2]]}

                """)
    }
}
