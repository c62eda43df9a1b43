#include <libpq-fe.h>

/* Without a processor of its own, libpq prints notices on standard error. */
static inline void agent_sessions_pq_ignore_notice(void *arg, const PGresult *res) { (void)arg; (void)res; }
static inline void agent_sessions_pq_ignore_notices(PGconn *conn) {
    PQsetNoticeReceiver(conn, agent_sessions_pq_ignore_notice, (void *)0);
}

/* Swift does not import macros that are character literals: the fields of an error that hold no value of a row. */
enum {
    agent_sessions_pq_severity = PG_DIAG_SEVERITY_NONLOCALIZED,
    agent_sessions_pq_sqlstate = PG_DIAG_SQLSTATE,
    agent_sessions_pq_primary = PG_DIAG_MESSAGE_PRIMARY,
    agent_sessions_pq_constraint = PG_DIAG_CONSTRAINT_NAME,
    agent_sessions_pq_source_file = PG_DIAG_SOURCE_FILE
};
