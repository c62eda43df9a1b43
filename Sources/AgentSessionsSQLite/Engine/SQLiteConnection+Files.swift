#if SQLite
internal import AgentSessions
internal import AgentSessionsThreads
internal import CAgentSessionsSQLite

// What a connection knows of its files: the database, the log and the index of the log.
extension SQLiteConnection {
    /// Takes the files at their paths as those of the store. Called when the log is open: from then on, no other
    /// connection that closes removes it.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where one is not there, or the database is another than the one that
    ///   was opened.
    func findFiles() throws(StoreError) -> OpenFiles {
        // As SQLite has made it: absolute, and without links.
        let database = sqlite3_db_filename(handle, "main").map { String(cString: $0) } ?? path
        let files = try OpenFiles(
            data: [database, database + "-wal"], others: [database + "-shm"], backend: SQLiteBackend.name)
        try requireFiles(files)
        return files
    }

    /// Checks that the open database is the one of the store.
    func requireFiles(_ files: OpenFiles) throws(StoreError) {
        try files.requireInPlace()
        var isMoved: Int32 = 0
        // Compares the file that is open to the one at its path.
        guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &isMoved) == SQLITE_OK, isMoved == 0 else {
            throw StoreError(
                .unavailable,
                "The database \(quoted(path, limit: 200)) was replaced while it was being opened. Open it again.",
                backend: SQLiteBackend.name)
        }
        self.files = files
    }

    /// Leaves the log on the disk where another file has taken its place.
    ///
    /// The last connection that closes a database moves the log into it, and removes the log by its name. By then the
    /// name may be that of another log, whose changes are nowhere else.
    func leaveOthersLog() {
        if files?.places.contains(.another) == true { agent_sessions_sqlite_keep_log(handle) }
    }

    /// Moves the log into the database where only the log's name is gone, so that acknowledged changes outlive this
    /// process.
    func rescueLog() {
        guard files?.places == [.same, .gone, .same] else { return }
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    }

    /// Moves the log into the database and empties it, after waiting for the connections that read it.
    ///
    /// - Parameter nanoseconds: The longest wait. Other writers wait as long.
    /// - Returns: Whether it is empty.
    func emptyLog(within nanoseconds: UInt64) -> Bool {
        let deadline = MonotonicTime.now() + nanoseconds
        return withBusyTimeout(nanoseconds: nanoseconds) {
            while true {
                let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
                // SQLite does not wait while another connection runs a checkpoint.
                guard code & 0xFF == SQLITE_BUSY, MonotonicTime.now() < deadline else { return code == SQLITE_OK }
                WorkerThread.pause(.milliseconds(1))
            }
        }
    }
}
#endif
