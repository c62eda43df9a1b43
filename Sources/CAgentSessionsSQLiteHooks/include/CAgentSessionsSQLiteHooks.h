/* What SQLite calls back: while it waits for a lock, and while it reads a file. */
#ifndef AGENT_SESSIONS_SQLITE_HOOKS_H
#define AGENT_SESSIONS_SQLITE_HOOKS_H

/* Without the trait SQLite nobody uses this target, but the package manager compiles it all the same, also where
 * there is no SQLite. */
#if __has_include(<sqlite3.h>)

#include <sqlite3.h>
#include <stdint.h>

/* How long a connection waits for a lock. It must outlive the connection that it is installed on. */
typedef struct {
    int64_t timeout_us;
    int64_t started_us;
} agent_sessions_busy_wait;

/* Waits for locks in short, uneven naps until the timeout, so that contenders do not meet in step; does not wait at
 * all on a thread between inline_begin and inline_end. */
int agent_sessions_install_busy_wait(sqlite3 *db, agent_sessions_busy_wait *wait);

/* Makes this process's SQLite read files through a function that, on a thread between inline_begin and inline_end,
 * gives up instead of waiting for the disk. Elsewhere reads are what they were, and how one failed is kept for
 * take_read_error. Returns whether this build of SQLite and the system have what it takes to give up (Linux 4.14 and
 * later: preadv2 with RWF_NOWAIT); whether the file system has it shows with the first read. Safe to call from any
 * thread, any number of times. */
int agent_sessions_hooks_install(void);

/* The errno of a read that failed on this thread since the last call; 0 where none did. SQLite reports some of them as
 * damage of the file, SQLITE_CORRUPT, and sets no sqlite3_system_errno then. */
int agent_sessions_take_read_error(void);

/* Ends statements of `db` that run for long on a thread between inline_begin and inline_end. */
void agent_sessions_inline_bound(sqlite3 *db, int virtual_machine_steps);

/* From here on, what this thread asks of SQLite fails rather than waits. */
void agent_sessions_inline_begin(void);

/* Something failed because it would have waited or taken long. */
#define AGENT_SESSIONS_INLINE_GAVE_UP 1
/* And always will, as the file system cannot tell cached pages from others. */
#define AGENT_SESSIONS_INLINE_UNSUPPORTED 2

/* Until here. Returns which of the two came to pass, added up. */
int agent_sessions_inline_end(void);

#endif

#endif
