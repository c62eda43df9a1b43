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

extension LMDBEnvironment {
    /// Checks that the data file was not cut off: reading a page of the map beyond the end of the file would end the
    /// process.
    ///
    /// A sound file can be shorter than its page numbers tell, where the last pages are free and were never written. So
    /// the file is given its full length first. The new part reads as zeros, and LMDB's list of free pages can be read.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where pages in use are missing; the file is left as it is.
    func requireWholeFile(_ lock: WriterLock) throws(StoreError) {
        guard try missingPages() != nil else { return }
        // With the write lock held, no other process makes the file longer meanwhile.
        try lock.acquire()
        defer { lock.release() }
        guard let missing = try missingPages() else { return }
        try setLength(missing.fileLength + missing.bytes)
        guard try areFree(missing.pages) else {
            try setLength(missing.fileLength)
            throw error(MDB_INVALID, while: .opening)
        }
    }

    private struct MissingPages {
        let pages: ClosedRange<Int>
        let fileLength: Int
        let bytes: Int
    }

    private func missingPages() throws(StoreError) -> MissingPages? {
        // The environment may be open already, and another store of this process about to change the map.
        try gate.enter()
        defer { gate.leave() }
        // First what LMDB says of the last page: pages are written before that.
        let last = info.me_last_pgno
        var pageInfo = MDB_stat()
        var status = stat()
        guard mdb_env_stat(handle, &pageInfo) == MDB_SUCCESS, pageInfo.ms_psize > 0, stat(dataFile, &status) == 0
        else { return nil }
        let (size, length) = (Int(pageInfo.ms_psize), Int(status.st_size))
        // A file that is not whole pages long lacks the page that it breaks off in.
        let first = length / size
        // A damaged number must not overflow; beyond the map there is no page.
        guard last >= first, last < info.me_mapsize / size else { return nil }
        return MissingPages(pages: first...last, fileLength: length, bytes: (last + 1) * size - length)
    }

    private var dataFile: String { "\(path)/\(EnvironmentFolder.dataFile)" }

    private func setLength(_ length: Int) throws(StoreError) {
        if truncate(dataFile, off_t(length)) != 0 { throw error(errno, while: .opening) }
    }

    /// Whether all of these pages are in LMDB's list of free ones, which is database 0: under the number of a transaction
    /// the pages that it freed, their count first.
    private func areFree(_ pages: ClosedRange<Int>) throws(StoreError) -> Bool {
        try gate.enter()
        defer { gate.leave() }
        var transaction: OpaquePointer?
        guard mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction) == MDB_SUCCESS else { return false }
        defer { mdb_txn_abort(transaction) }
        var cursor: OpaquePointer?
        guard mdb_cursor_open(transaction, 0, &cursor) == MDB_SUCCESS else { return false }
        defer { mdb_cursor_close(cursor) }
        var free = 0
        var number: UInt = 0
        while true {
            var value = MDB_val()
            // A search from the top each time: to LMDB, a step to a page of zeros is the end and not an error.
            let code = withUnsafeMutableBytes(of: &number) { bytes in
                var key = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
                let code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
                if code == MDB_SUCCESS, key.mv_size == bytes.count {
                    bytes.copyMemory(from: UnsafeRawBufferPointer(key))
                }
                return code
            }
            if code == MDB_NOTFOUND || number == .max { return free == pages.count }
            guard code == MDB_SUCCESS else { return false }
            number += 1
            let list = UnsafeRawBufferPointer(value)
            let size = MemoryLayout<Int>.size
            guard list.count >= size else { return false }
            let count = list.number(at: 0) as Int
            guard count >= 0, count < list.count / size else { return false }
            for place in 0..<count where pages.contains(list.number(at: (place + 1) * size) as Int) { free += 1 }
        }
    }
}
#endif
