#include <sqlite3.h>

/* Swift does not import a macro that casts a number to a function pointer. */
static inline sqlite3_destructor_type agent_sessions_sqlite_transient(void) { return SQLITE_TRANSIENT; }

/* Variadic functions of C cannot be called from Swift. SQL in the schema of a file is data from outside: it may
 * neither call functions with side effects nor change the schema by writing to it. */
static inline int agent_sessions_sqlite_distrust_schema(sqlite3 *db) {
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
    return rc == SQLITE_OK ? sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0) : rc;
}

/* Who closes last leaves the log as it is. */
static inline int agent_sessions_sqlite_keep_log(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
