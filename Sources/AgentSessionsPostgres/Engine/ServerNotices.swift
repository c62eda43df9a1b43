#if Postgres
internal import CAgentSessionsLibPQ

/// Receives the server's notices. libpq would print them on standard error.
///
/// One notice matters: that the server has stopped waiting for a synchronous standby. The transaction is committed on the
/// server by then, so the end of the wait is neither a success nor an error there: the server warns, and goes on as if the
/// standby had answered.
final class ServerNotices {
    /// The warning of a server that has stopped waiting for a standby.
    private(set) var abandonedWait: String?

    /// Receives the notices of a connection, which must be closed before this object is released.
    init(of handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, notice in
                guard let context, let notice else { return }
                Unmanaged<ServerNotices>.fromOpaque(context).takeUnretainedValue().receive(notice)
            },
            // Not retained: the receiver is called by calls on the connection alone.
            Unmanaged.passUnretained(self).toOpaque())
    }

    /// Forgets the notices of the last pipeline.
    func clear() {
        abandonedWait = nil
    }

    private func receive(_ notice: OpaquePointer) {
        // Recognized by the file of the server's source: its text depends on the server's language, and its code is that of
        // any warning.
        guard field(agent_sessions_pq_source_file, of: notice)?.hasSuffix("syncrep.c") ?? false,
            field(agent_sessions_pq_severity, of: notice) == "WARNING"
        else { return }
        abandonedWait = field(agent_sessions_pq_primary, of: notice) ?? "no message"
    }

    private func field(_ field: Int, of notice: OpaquePointer) -> String? {
        PQresultErrorField(notice, Int32(field)).map { String(cString: $0) }
    }
}
#endif
