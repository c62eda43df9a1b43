import Synchronization

/// A progress bar on one line of standard error, if the console shows progress.
final class ProgressBar: Sendable {
    private static let width = 30

    private let console: Console
    private let title: String
    private let shown = Mutex(-1)

    /// - Parameter title: The activity, such as `Importing`.
    init(_ title: String, on console: Console) {
        self.title = title
        self.console = console
    }

    /// Shows how much is done, from 0 to 1. May be called from any thread and at any rate.
    func show(_ fraction: Double) {
        guard console.showsProgress else { return }
        let percent = Int(min(max(fraction, 0), 1) * 100)
        shown.withLock { shown in
            guard percent > shown else { return }
            shown = percent
            let filled = percent * Self.width / 100
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
            draw("\r\(title) [\(bar)] \(percent) %")
        }
    }

    /// Shows how many things are done, if their number is not known.
    ///
    /// - Parameter thing: One of them, such as `session`.
    func show(count: Int, of thing: String) {
        guard console.showsProgress else { return }
        shown.withLock { shown in
            shown = count
            draw("\r\(title) \(counted(count, thing))")
        }
    }

    /// Removes the bar.
    func clear() {
        shown.withLock { shown in
            guard shown >= 0 else { return }
            shown = -1
            draw("\r\u{1B}[K")
        }
    }

    private func draw(_ text: String) {
        try? console.errors.write(text.utf8)
        try? console.errors.flush()
    }
}
