#include <libpq-fe.h>

/* Swift does not import macros that are character literals: the fields of an error or notice that hold no value of a row. */
enum {
    agent_sessions_pq_severity = PG_DIAG_SEVERITY_NONLOCALIZED,
    agent_sessions_pq_sqlstate = PG_DIAG_SQLSTATE,
    agent_sessions_pq_primary = PG_DIAG_MESSAGE_PRIMARY,
    agent_sessions_pq_constraint = PG_DIAG_CONSTRAINT_NAME,
    agent_sessions_pq_source_file = PG_DIAG_SOURCE_FILE
};
