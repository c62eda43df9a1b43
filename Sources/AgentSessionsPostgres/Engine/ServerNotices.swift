#if Postgres
internal import CAgentSessionsLibPQ

/// Takes what the server says besides its answers. libpq would print it on standard error.
///
/// One notice matters: that a commit is no longer waited for. A transaction that waits for a synchronous standby is
/// committed on its server already, so the end of the wait is neither a success nor an error there: the server warns,
/// and goes on as if the standby had answered.
final class ServerNotices {
    /// What the server said as it gave up waiting for a standby.
    private(set) var abandonedWait: String?

    /// Takes the notices of a connection, which must be closed before this object goes.
    init(of handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, notice in
                guard let context, let notice else { return }
                Unmanaged<ServerNotices>.fromOpaque(context).takeUnretainedValue().take(notice)
            },
            // Not retained: the receiver is called by calls on the connection alone.
            Unmanaged.passUnretained(self).toOpaque())
    }

    /// Forgets what was said.
    func clear() {
        abandonedWait = nil
    }

    private func take(_ notice: OpaquePointer) {
        // By its place in the server's source: its text depends on the server's language, and its code is that of any
        // warning.
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
