import Synchronization

/// A progress bar with the current activity and the remaining time, if the console shows progress.
final class TimedProgress: Sendable {
    private static let width = 24
    private static let interval = Duration.milliseconds(200)

    private let console: Console
    private let title: String
    private let start = ContinuousClock.now
    private let shown = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter title: The activity, such as `Measuring`.
    init(_ title: String, on console: Console) {
        self.title = title
        self.console = console
    }

    /// Shows how much is done, from 0 to 1. May be called from any thread and at any rate.
    func show(_ fraction: Double, _ activity: String) {
        guard console.showsProgress else { return }
        let now = ContinuousClock.now
        shown.withLock { shown in
            if let shown, now - shown < Self.interval { return }
            shown = now
            let line = Self.line(title, fraction, activity, after: now - start)
            try? console.errors.write("\r\u{1B}[K\(line)".utf8)
            try? console.errors.flush()
        }
    }

    /// Removes the bar.
    func clear() {
        shown.withLock { shown in
            guard shown != nil else { return }
            shown = nil
            try? console.errors.write("\r\u{1B}[K".utf8)
            try? console.errors.flush()
        }
    }

    /// The line that is shown after so much time.
    static func line(_ title: String, _ fraction: Double, _ activity: String, after time: Duration) -> String {
        let part = min(max(fraction, 0), 1)
        let filled = Int(part * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        var line = "\(title) [\(bar)] \(Int(part * 100)) %"
        // An estimate from the first steps would jump.
        if part > 0.02 {
            let left = time * ((1 - part) / part)
            let seconds = Int(left / .seconds(1)) + 1
            line += seconds < 90 ? ", \(seconds) s left" : ", \((seconds + 30) / 60) min left"
        }
        return line + " " + activity
    }
}
