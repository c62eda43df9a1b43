#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

extension EnvironmentFolder {
    /// Empties a data file whose creation was not finished, as the disk was full, the process was killed or the power
    /// was lost, so that LMDB creates it anew. LMDB takes such a file for a damaged one.
    ///
    /// LMDB writes the first two pages first, and they say where everything else is. Nothing was ever stored where each
    /// of them says so, is zeros or is missing. The caller holds the queue lock, so that no other process creates the
    /// file.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where it cannot be read or emptied.
    func discardUnfinishedData() throws(StoreError) {
        let descriptor = open("\(path)/\(Self.dataFile)", O_RDWR | O_CLOEXEC)
        // LMDB reports why a file cannot be opened.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // LMDB takes the pages of the system, up to this size.
        let pageSize = min(Int(getpagesize()), 32_768)
        var bytes = [UInt8](repeating: 0, count: 2 * pageSize + 1)
        let length = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard length >= 0 else { throw failure() }
        let isUnfinished = bytes.withUnsafeBytes { bytes in
            Self.isUnfinished(UnsafeRawBufferPointer(rebasing: bytes[..<length]), pageSize)
        }
        if isUnfinished, ftruncate(descriptor, 0) != 0 { throw failure() }
    }

    private func failure() -> StoreError { StoreError(lmdb: errno, while: .opening, path: path) }

    private static func isUnfinished(_ file: UnsafeRawBufferPointer, _ pageSize: Int) -> Bool {
        guard !file.isEmpty, file.count <= 2 * pageSize else { return false }
        let first = UnsafeRawBufferPointer(rebasing: file.prefix(pageSize))
        let second = UnsafeRawBufferPointer(rebasing: file.dropFirst(pageSize))
        let (firstIsNew, secondIsNew) = (saysNothingIsStored(first), saysNothingIsStored(second))
        // With both pages whole, LMDB accepts the file, and other processes may have it open.
        if firstIsNew, secondIsNew, file.count == 2 * pageSize { return false }
        return (firstIsNew || first.allSatisfy { $0 == 0 }) && (secondIsNew || second.allSatisfy { $0 == 0 })
    }

    /// Whether a page is one of the first two as LMDB writes them first: after a header with the page's kind, its magic
    /// number, the version of the format, and at the end of 136 bytes the last page in use and the number of the
    /// transaction that wrote it.
    private static func saysNothingIsStored(_ page: UnsafeRawBufferPointer) -> Bool {
        guard page.count >= 152 else { return false }
        let (kind, magic, version): (UInt16, UInt32, UInt32) = (
            page.number(at: 10), page.number(at: 16), page.number(at: 20)
        )
        let (lastPage, transaction): (Int, Int) = (page.number(at: 136), page.number(at: 144))
        return kind == 0x08 && magic == 0xBEEF_C0DE && version == 1 && lastPage == 1 && transaction == 0
    }
}
#endif
