#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What this process used of processors and memory during a run.
public struct ProcessUsage: Sendable {
    private let cpuSeconds: Double

    /// Begins to watch.
    public static func begin() -> ProcessUsage {
        forgetPeak()
        return ProcessUsage(cpuSeconds: currentCPUSeconds())
    }

    /// Says in a measurement what was used since.
    public func end(into measurement: inout Repetition) {
        measurement.cpuSeconds = Self.currentCPUSeconds() - cpuSeconds
        measurement.peakRSSBytes = Self.peakBytes()
    }

    private static func currentCPUSeconds() -> Double {
        let usage = current()
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    private static func current() -> rusage {
        var usage = rusage()
        #if canImport(Glibc)
        // Glibc's header has an enumeration for one language and a number for the other.
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage
    }

    /// Lets Linux count the peak anew (proc(5), clear_refs). Elsewhere the peak is the process's so far.
    private static func forgetPeak() {
        let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = "5".withCString { write(descriptor, $0, 1) }
        close(descriptor)
    }

    private static func peakBytes() -> Int {
        if let line = SystemFile.lines("/proc/self/status").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = Int(line.dropFirst(6).filter(\.isNumber))
        {
            return kilobytes << 10
        }
        #if canImport(Darwin)
        return current().ru_maxrss
        #else
        return current().ru_maxrss << 10
        #endif
    }
}

/// Small files in which a system tells of itself.
enum SystemFile {
    /// The lines of a file; none where it cannot be read.
    static func lines(_ path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0, bytes.count < 1 << 20 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
