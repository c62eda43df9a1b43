/// The part of a document that is in memory, which moves on as it is read. Used on one thread.
final class ByteWindow {
    private static let initialBytes = 1 << 18

    private let source: DocumentBytes
    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: initialBytes, alignment: 16)
    /// The part of the storage that was loaded and not passed yet.
    private var loaded = 0..<0
    /// The offset in the source of the first byte that was not passed yet.
    private(set) var offset: Int

    init(_ source: DocumentBytes, at offset: Int = 0) {
        self.source = source
        self.offset = offset
    }

    deinit { storage.deallocate() }

    /// The bytes that are loaded and not passed. They stay at their address until the next call of ``load()`` or
    /// ``seek(to:)``, even once they are passed.
    var bytes: UnsafeBufferPointer<UInt8> {
        UnsafeRawBufferPointer(rebasing: storage[loaded]).assumingMemoryBound(to: UInt8.self)
    }

    /// Loads more bytes after those in ``bytes``.
    ///
    /// - Returns: Whether there were any.
    func load() throws(StoreError) -> Bool {
        if loaded.lowerBound > 0 {
            // The regions may overlap: this is memmove.
            storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[loaded]))
            loaded = 0..<loaded.count
        }
        if loaded.count == storage.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: storage.count * 2, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(storage))
            storage.deallocate()
            storage = larger
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: storage[loaded.upperBound...])
        let count = try source.read(at: offset + loaded.count, into: room)
        loaded = 0..<loaded.upperBound + count
        return count > 0
    }

    /// Passes `count` of ``bytes``.
    func pass(_ count: Int) {
        loaded = loaded.lowerBound + count..<loaded.upperBound
        offset += count
    }

    /// Goes on at another offset of the source.
    func seek(to offset: Int) {
        loaded = 0..<0
        self.offset = offset
    }
}
