#if Postgres
internal import AgentSessions

/// Times as `timestamptz` has them: microseconds since 2000-01-01.
enum PostgresTime {
    private static let epoch: Int64 = 946_684_800_000_000

    /// Within the years 1 to 9999 the difference fits.
    static func stored(_ time: Timestamp) -> Int64 { time.microseconds &- epoch }

    /// The time of a stored number, or `nil` outside the years 1 to 9999, as `infinity` is.
    static func time(_ stored: Int64) -> Timestamp? {
        let (microseconds, overflow) = stored.addingReportingOverflow(epoch)
        return overflow ? nil : Timestamp(microseconds: microseconds)
    }
}
#endif
