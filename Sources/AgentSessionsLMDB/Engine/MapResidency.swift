#if LMDB
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Keeps the map from filling the memory of a process that reads much of it.
///
/// A page of the map that was read counts as the process's memory until the system takes it back, so that an export of
/// gigabytes would hold gigabytes. After some megabytes of long reads the part of the map that they touched is let go.
/// Its pages stay in the system's cache; whoever reads them again finds them there, other readers of the moment included.
struct MapResidency {
    /// A run of fewer bytes is not long: what is read often, such as the end of a conversation, stays.
    private static let longRun = 64 << 10
    /// Bytes of long runs that stay.
    private static let bound = 4 << 20

    private var touched: Range<UInt>?
    private var bytes = 0
    /// The map that was touched, as the environment counts its maps.
    private var map = 0

    /// A read transaction has read a run of records.
    ///
    /// - Parameters:
    ///   - run: Where they lie in the map.
    ///   - bytes: Their size.
    ///   - map: The map.
    mutating func read(_ run: Range<UInt>, bytes: Int, in map: Int) {
        guard bytes >= Self.longRun else { return }
        if self.map != map { self = MapResidency() }
        self.map = map
        self.bytes += bytes
        touched = touched.map { min($0.lowerBound, run.lowerBound)..<max($0.upperBound, run.upperBound) } ?? run
    }

    /// Lets go of what was touched, if it is much.
    ///
    /// - Parameter map: The map, which cannot change while this runs.
    mutating func trim(_ map: Int) {
        guard bytes >= Self.bound else { return }
        defer { self = MapResidency() }
        guard self.map == map, let touched else { return }
        let pageSize = UInt(getpagesize())
        let start = touched.lowerBound / pageSize * pageSize
        // A hint: where it is not taken, nothing is lost. The pages are a file's, and this process never writes them.
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(touched.upperBound - start), MADV_DONTNEED)
    }
}
#endif
