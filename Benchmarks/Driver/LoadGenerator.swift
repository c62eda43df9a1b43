import AgentSessions

/// How calls come: as fast as clients get answers, or at a rate of their own.
public enum LoadMode: Sendable, Hashable {
    /// Closed loop: each client calls again when it has its answer.
    case closed
    /// Open loop: so many calls a second are due, evenly spaced, whatever becomes of those before. Latency counts from
    /// the time that a call was due, so that a store that stalls pays for everyone who waits (no coordinated omission).
    case open(rate: Double)
}

/// What came of a load.
struct LoadOutcome: Sendable {
    var clients: [any WorkloadClient] = []
    var latencies = Latencies()
    var operations = 0
    var errors = 0
    var firstError: StoreError?
    /// From the end of the warm-up to the last answer.
    var nanoseconds: UInt64 = 0
    /// Whether the store could not keep up with the rate, so that latencies tell how long the load went on and not how
    /// fast the store is.
    var isSaturated = false
}

/// Drives clients against a store and measures.
struct LoadGenerator<Clock: LoadClock>: Sendable {
    /// A client gives up after so many failures in a row, as what fails at once would be counted as fast.
    private static var failuresInARow: Int { 100 }
    /// A store whose calls never suspend would leave no thread to the other clients.
    private static var callsBetweenYields: Int { 64 }

    let clock: Clock
    let stop: StopRequest

    /// What one client brings home.
    private struct Share: Sendable {
        var number: Int
        var client: any WorkloadClient
        var latencies = Latencies()
        var operations = 0
        var errors = 0
        var failuresInARow = 0
        var firstError: StoreError?
        var firstStart: UInt64?
        var lastEnd: UInt64 = 0

        mutating func fail(_ error: StoreError) {
            errors += 1
            failuresInARow += 1
            if firstError == nil { firstError = error }
        }

        mutating func succeed(_ operations: Int, from start: UInt64, to end: UInt64, measured: Bool) {
            failuresInARow = 0
            guard measured else { return }
            latencies.record(end - min(start, end))
            self.operations += operations
            if firstStart == nil { firstStart = start }
            lastEnd = end
        }
    }

    /// Runs a load.
    ///
    /// - Parameters:
    ///   - warmUp: Nanoseconds at the beginning that are not measured.
    ///   - duration: Nanoseconds that are. A call that began within them is waited for.
    func run(
        _ mode: LoadMode, _ clients: [any WorkloadClient], warmUp: UInt64, duration: UInt64
    ) async -> LoadOutcome {
        switch mode {
        case .closed: await closed(clients, warmUp: warmUp, duration: duration)
        case .open(let rate):
            await open(clients, ArrivalSchedule(start: clock.now(), rate: rate, warmUp: warmUp, duration: duration))
        }
    }

    // MARK: Closed loop

    private func closed(_ clients: [any WorkloadClient], warmUp: UInt64, duration: UInt64) async -> LoadOutcome {
        let measured = clock.now() + warmUp
        let end = measured + duration
        return await collect(clients) { (share: inout Share) in
            var calls = 0
            var began = clock.now()
            // At least one call is measured, however long those before took.
            while began < end || share.firstStart == nil, !stop.isRequested,
                share.failuresInARow < Self.failuresInARow
            {
                do throws(StoreError) {
                    let operations = try await share.client.call()
                    share.succeed(operations, from: began, to: clock.now(), measured: began >= measured)
                } catch {
                    share.fail(error)
                }
                calls += 1
                if clients.count > 1, calls.isMultiple(of: Self.callsBetweenYields) { await Task.yield() }
                began = clock.now()
            }
        }
    }

    // MARK: Open loop

    private func open(_ clients: [any WorkloadClient], _ schedule: ArrivalSchedule) async -> LoadOutcome {
        let next = SharedCounter()
        var outcome = await collect(clients) { (share: inout Share) in
            // Clients take the calls in the order in which they are due; who is free waits for the next.
            while !stop.isRequested, share.failuresInARow < Self.failuresInARow, clock.now() < schedule.end {
                let arrival = next.next()
                guard arrival < schedule.arrivals else { break }
                let due = schedule.time(of: arrival)
                await clock.sleep(until: due)
                do throws(StoreError) {
                    let operations = try await share.client.call()
                    share.succeed(operations, from: due, to: clock.now(), measured: due >= schedule.measured)
                } catch {
                    share.fail(error)
                }
            }
        }
        let unserved = schedule.arrivals - min(next.value, schedule.arrivals)
        outcome.isSaturated = !stop.isRequested && schedule.isSaturated(unserved: unserved, clients: clients.count)
        return outcome
    }

    // MARK: Both

    private func collect(
        _ clients: [any WorkloadClient], _ body: @escaping @Sendable (inout Share) async -> Void
    ) async -> LoadOutcome {
        let shares = await withTaskGroup(of: Share.self) { group in
            for (number, client) in clients.enumerated() {
                group.addTask {
                    var share = Share(number: number, client: client)
                    await body(&share)
                    return share
                }
            }
            var shares: [Share] = []
            for await share in group { shares.append(share) }
            return shares.sorted { $0.number < $1.number }
        }
        var outcome = LoadOutcome()
        for share in shares {
            outcome.clients.append(share.client)
            outcome.latencies.add(share.latencies)
            outcome.operations += share.operations
            outcome.errors += share.errors
            if outcome.firstError == nil { outcome.firstError = share.firstError }
        }
        let first = shares.compactMap(\.firstStart).min()
        let last = shares.map(\.lastEnd).max() ?? 0
        if let first, last > first { outcome.nanoseconds = last - first }
        return outcome
    }
}

/// When the calls of an open loop are due: evenly spaced from the start on.
struct ArrivalSchedule: Sendable {
    /// The time of the first call.
    let start: UInt64
    /// Calls due from this time on are measured.
    let measured: UInt64
    /// No call begins after this.
    let end: UInt64
    /// The number of calls that are due before the end.
    let arrivals: Int
    private let interval: Double

    /// - Parameter rate: Calls a second; more than 0.
    init(start: UInt64, rate: Double, warmUp: UInt64, duration: UInt64) {
        self.start = start
        measured = start + warmUp
        end = start + warmUp + duration
        interval = 1e9 / rate
        arrivals = Int((Double(warmUp + duration) / interval).rounded(.up))
    }

    /// When a call is due.
    func time(of arrival: Int) -> UInt64 { start + UInt64(Double(arrival) * interval) }

    /// Whether the store fell behind: at the end more than one in a hundred calls, and more than the clients have in
    /// hand, had not begun although they were due.
    func isSaturated(unserved: Int, clients: Int) -> Bool { unserved > max(2 * clients, arrivals / 100) }
}
