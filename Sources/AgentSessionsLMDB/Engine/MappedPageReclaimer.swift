#if LMDB
internal import AgentSessionsThreads

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Keeps the map from filling the memory of a process that reads much of it.
///
/// A page of the map that was read counts as memory of the process until the system takes it back, so an export of
/// gigabytes would hold gigabytes. After some megabytes of long reads, the part of the map that they touched is
/// released. Its pages stay in the system's cache, where the next reads, and those under way, find them.
struct MappedPageReclaimer {
    private var reads = ScanTracker()
    /// Where the long ones lay.
    private var touched: Range<UInt>?
    /// The map that was touched, as the environment counts its maps.
    private var map = 0

    /// A read transaction has read a run of records.
    ///
    /// - Parameters:
    ///   - run: Where they lie in the map.
    ///   - bytes: Their size.
    ///   - map: The map.
    mutating func read(_ run: Range<UInt>, bytes: Int, in map: Int) {
        if self.map != map { self = MappedPageReclaimer() }
        self.map = map
        guard reads.add(run: bytes) else { return }
        touched = touched.map { min($0.lowerBound, run.lowerBound)..<max($0.upperBound, run.upperBound) } ?? run
    }

    /// Releases what was touched, if it is much.
    ///
    /// - Parameter map: The map, which cannot change while this runs.
    mutating func trim(_ map: Int) {
        guard reads.areMany else { return }
        defer { self = MappedPageReclaimer() }
        guard self.map == map, let touched else { return }
        let pageSize = UInt(getpagesize())
        let start = touched.lowerBound / pageSize * pageSize
        // A hint: where it is not taken, nothing is lost. The pages are a file's, and this process never writes them.
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(touched.upperBound - start), MADV_DONTNEED)
    }
}
#endif
