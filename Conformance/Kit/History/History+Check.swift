extension History {
    /// What in the history no correct store can have done.
    public enum Anomaly: Sendable, Hashable {
        /// An append was acknowledged before a read began, and the read does not have it.
        case lost(element: Int, list: Int)
        /// A read has an element twice, or two messages have one sequence.
        case doubled(element: Int, list: Int)
        /// The sequences of a read are not 1, 2, 3 …
        case gap(sequences: [Int], list: Int)
        /// Neither of two reads is the beginning of the other.
        case forked(list: Int, left: [Int], right: [Int])
        /// A read has fewer elements than one that ended before it began.
        case stale(list: Int, had: Int, has: Int)
        /// A read has a part of a batch.
        case torn(elements: [Int], list: Int)
        /// A read has an element that nobody appended, whose append failed, or had not begun.
        case invented(element: Int, list: Int)
        /// An append that was acknowledged before another began stands after it.
        case reordered(first: Int, second: Int, list: Int)
        /// An append was acknowledged with another sequence than the message has.
        case misplaced(element: Int, list: Int, acknowledged: Int, found: Int)
    }

    /// What is wrong with the history. None, where it is linearizable: appends only ever add to the end, so an order of
    /// them that agrees with every read and with the clock is the order of the longest read.
    public func anomalies() -> [Anomaly] {
        var calls: [Call] = []
        var open: [Int: Int] = [:]
        for (time, event) in events.enumerated() {
            if event.kind == .invoke {
                open[event.client] = calls.count
                calls.append(Call(operation: event.operation, began: time))
            } else if let index = open.removeValue(forKey: event.client) {
                calls[index].ended = time
                calls[index].kind = event.kind
            }
        }
        let lists = Set(calls.map(\.list)).sorted()
        return lists.flatMap { list in ListCheck(list, calls.filter { $0.list == list }).anomalies() }
    }

    /// A call from its beginning to its end; one without an end may have had its effect at any time since.
    fileprivate struct Call {
        let operation: Operation
        let began: Int
        var ended = Int.max
        var kind = Kind.info

        var list: Int {
            switch operation {
            case .append(let list, _), .read(let list): list
            }
        }
    }
}

/// Checks the calls of one list.
private struct ListCheck {
    private struct Append {
        let elements: [Int]
        let began: Int
        let ended: Int
        /// The sequences that were acknowledged.
        let sequences: [Int]?
        let failed: Bool
    }

    private struct Read {
        let elements: [Int]
        let sequences: [Int]
        let began: Int
        let ended: Int
    }

    private let list: Int
    private var appends: [Append] = []
    private var reads: [Read] = []

    init(_ list: Int, _ calls: [History.Call]) {
        self.list = list
        for call in calls {
            switch (call.operation, call.kind) {
            case (.append(_, let elements), .appended(let sequences)):
                appends.append(
                    Append(
                        elements: elements, began: call.began, ended: call.ended, sequences: sequences, failed: false))
            case (.append(_, let elements), let kind):
                appends.append(
                    Append(
                        elements: elements, began: call.began, ended: .max, sequences: nil, failed: kind == .fail))
            case (.read, .read(let elements, let sequences)):
                reads.append(Read(elements: elements, sequences: sequences, began: call.began, ended: call.ended))
            default: break
            }
        }
    }

    func anomalies() -> [History.Anomaly] {
        var found: [History.Anomaly] = []
        for anomaly in readsAlone() + readsTogether() + appendsAndReads() + acknowledgements()
        where !found.contains(anomaly) {
            found.append(anomaly)
        }
        return found
    }

    /// Doubled elements and gaps.
    private func readsAlone() -> [History.Anomaly] {
        reads.flatMap { read in
            var seen: Set<Int> = []
            var found: [History.Anomaly] = read.elements.filter { !seen.insert($0).inserted }
                .map { .doubled(element: $0, list: list) }
            if read.sequences != Array(1..<(read.sequences.count + 1)) {
                found.append(.gap(sequences: read.sequences, list: list))
            }
            return found
        }
    }

    /// Forks, and reads that went back in time.
    private func readsTogether() -> [History.Anomaly] {
        var found: [History.Anomaly] = []
        let byLength = reads.sorted { $0.elements.count < $1.elements.count }
        for (left, right) in zip(byLength, byLength.dropFirst()) where !right.elements.starts(with: left.elements) {
            found.append(.forked(list: list, left: left.elements, right: right.elements))
        }
        var longest = 0
        // By the end of one and the beginning of another: only reads that did not overlap have an order.
        let ends = reads.sorted { $0.ended < $1.ended }
        var next = 0
        for read in reads.sorted(by: { $0.began < $1.began }) {
            while next < ends.count, ends[next].ended < read.began {
                longest = max(longest, ends[next].elements.count)
                next += 1
            }
            if read.elements.count < longest {
                found.append(.stale(list: list, had: longest, has: read.elements.count))
            }
        }
        return found
    }

    /// Lost, torn and invented elements.
    private func appendsAndReads() -> [History.Anomaly] {
        var found: [History.Anomaly] = []
        var origins: [Int: Append] = [:]
        for append in appends { for element in append.elements { origins[element] = append } }
        for read in reads {
            let elements = Set(read.elements)
            for append in appends {
                let present = append.elements.filter(elements.contains)
                if append.ended < read.began, let missing = append.elements.first(where: { !elements.contains($0) }) {
                    found.append(.lost(element: missing, list: list))
                } else if !present.isEmpty, !read.elements.containsRun(append.elements) {
                    found.append(.torn(elements: append.elements, list: list))
                }
            }
            for element in read.elements {
                guard let origin = origins[element], !origin.failed, origin.began < read.ended else {
                    found.append(.invented(element: element, list: list))
                    continue
                }
            }
        }
        return found
    }

    /// What was acknowledged against what is there, and the order of acknowledgements against the clock.
    private func acknowledgements() -> [History.Anomaly] {
        var found: [History.Anomaly] = []
        let longest = reads.max { $0.elements.count < $1.elements.count }
        var places: [Int: Int] = [:]
        if let longest {
            for (element, sequence) in zip(longest.elements, longest.sequences) { places[element] = sequence }
        }
        var owners: [Int: Int] = [:]
        let acknowledged = appends.filter { $0.sequences != nil }
        for append in acknowledged {
            for (element, sequence) in zip(append.elements, append.sequences ?? []) {
                if let place = places[element], place != sequence {
                    found.append(.misplaced(element: element, list: list, acknowledged: sequence, found: place))
                }
                if let owner = owners.updateValue(element, forKey: sequence), owner != element {
                    found.append(.doubled(element: element, list: list))
                }
            }
        }
        // Whatever ended before this one began must stand before it.
        let ends = acknowledged.sorted { $0.ended < $1.ended }
        var next = 0
        var last: (element: Int, sequence: Int)?
        for append in acknowledged.sorted(by: { $0.began < $1.began }) {
            while next < ends.count, ends[next].ended < append.began {
                if let element = ends[next].elements.last, let sequence = ends[next].sequences?.last,
                    sequence > last?.sequence ?? 0
                {
                    last = (element, sequence)
                }
                next += 1
            }
            if let last, let element = append.elements.first, let sequence = append.sequences?.first,
                sequence < last.sequence
            {
                found.append(.reordered(first: last.element, second: element, list: list))
            }
        }
        return found
    }
}

extension [Int] {
    /// Whether `run` stands in the array, in one piece and in its order.
    fileprivate func containsRun(_ run: [Int]) -> Bool {
        guard let first = run.first, let start = firstIndex(of: first) else { return run.isEmpty }
        return self[start...].starts(with: run)
    }
}

extension History.Anomaly: CustomStringConvertible {
    /// The anomaly in words.
    public var description: String {
        switch self {
        case .lost(let element, let list):
            "lost: the append of \(element) to list \(list) was acknowledged, and a read that began after it lacks it"
        case .doubled(let element, let list):
            "doubled: \(element) is in list \(list) twice, or its sequence was given to another"
        case .gap(let sequences, let list):
            "gap: a read of list \(list) has the sequences \(sequences)"
        case .forked(let list, let left, let right):
            "non-prefix: reads of list \(list) contradict each other: \(left) and \(right)"
        case .stale(let list, let had, let has):
            "stale read: of list \(list) \(has) elements were read after \(had) had been read"
        case .torn(let elements, let list):
            "torn batch: a read of list \(list) does not have \(elements) in one piece"
        case .invented(let element, let list):
            "invented: a read of list \(list) has \(element), whose append failed or had not begun"
        case .reordered(let first, let second, let list):
            "order: in list \(list) \(second) stands before \(first), which was acknowledged before it began"
        case .misplaced(let element, let list, let acknowledged, let found):
            "misplaced: \(element) of list \(list) was acknowledged as sequence \(acknowledged) and is \(found)"
        }
    }
}
