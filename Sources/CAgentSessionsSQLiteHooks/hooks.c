#define _GNU_SOURCE
#include "CAgentSessionsSQLiteHooks.h"

#if __has_include(<sqlite3.h>)

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static _Thread_local int inline_active;
static _Thread_local int inline_outcome;
static _Thread_local int inline_ticks;
static _Thread_local int read_error;

/* SQLite counts a statement's steps over all its runs and calls back at each multiple, so a short run may meet one by
 * chance. Several short intervals, counted anew by each read, tell a long read from such a one. */
static const int ticks_of_a_long_read = 10;

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A number that differs between threads and calls; nothing depends on its quality. */
static uint32_t uneven(void) {
    static _Thread_local uint32_t state;
    if (!state) state = (uint32_t)now_us() ^ (uint32_t)(uintptr_t)&state;
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

static int wait_for_lock(void *context, int calls) {
    agent_sessions_busy_wait *wait = context;
    if (inline_active) {
        inline_outcome |= AGENT_SESSIONS_INLINE_GAVE_UP;
        return 0;
    }
    int64_t now = now_us();
    if (calls == 0) wait->started_us = now;
    if (now - wait->started_us >= wait->timeout_us) return 0;
    /* A commit takes 0.2 to 1 ms: begin with naps of that length, go on with some of up to 8 ms. */
    int64_t most_us = 500ll << (calls < 4 ? calls : 4);
    struct timespec nap = {0, (200 + uneven() % most_us) * 1000};
    nanosleep(&nap, 0);
    return 1;
}

int agent_sessions_install_busy_wait(sqlite3 *db, agent_sessions_busy_wait *wait) {
    return sqlite3_busy_handler(db, wait_for_lock, wait);
}

static int give_up_when_inline(void *unused) {
    (void)unused;
    if (!inline_active || ++inline_ticks < ticks_of_a_long_read) return 0;
    inline_outcome |= AGENT_SESSIONS_INLINE_GAVE_UP;
    return 1;
}

void agent_sessions_inline_bound(sqlite3 *db, int virtual_machine_steps) {
    sqlite3_progress_handler(db, virtual_machine_steps / ticks_of_a_long_read, give_up_when_inline, 0);
}

void agent_sessions_inline_begin(void) {
    inline_active = 1;
    read_error = 0;
    inline_outcome = 0;
    inline_ticks = 0;
}

int agent_sessions_inline_end(void) {
    inline_active = 0;
    return inline_outcome;
}

typedef ssize_t (*pread_function)(int, void *, size_t, off_t);
/* Another thread may meet the replacement before it meets the original, hence the order that atomics give. */
static _Atomic(pread_function) original_pread = pread;
static int installed;

#if defined(__linux__) && defined(RWF_NOWAIT)

static const int can_give_up = 1;

static ssize_t read_or_give_up(int file, void *buffer, size_t count, off_t offset) {
    struct iovec vector = {buffer, count};
    ssize_t got = preadv2(file, &vector, 1, offset, RWF_NOWAIT);
    if (got == (ssize_t)count) return got;
    /* A short read is the end of the file, or a part that is in the page cache before one that is not, or the defect
     * of Linux 5.9 and 5.10, which give 0 in the middle of a file (readv(2), BUGS). SQLite would take the rest for
     * zeros. EAGAIN: not in the page cache. The others: this file system or kernel cannot tell. */
    if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)) {
        inline_outcome |= AGENT_SESSIONS_INLINE_UNSUPPORTED;
    }
    inline_outcome |= AGENT_SESSIONS_INLINE_GAVE_UP;
    errno = EAGAIN;
    return -1;
}

#else

static const int can_give_up = 0;

static ssize_t read_or_give_up(int file, void *buffer, size_t count, off_t offset) {
    return pread(file, buffer, count, offset);
}

#endif

static ssize_t replaced_pread(int file, void *buffer, size_t count, off_t offset) {
    if (inline_active) return read_or_give_up(file, buffer, count, offset);
    pread_function original = atomic_load_explicit(&original_pread, memory_order_acquire);
    ssize_t got = original(file, buffer, count, offset);
    if (got < 0) read_error = errno;
    return got;
}

int agent_sessions_take_read_error(void) {
    int error = read_error;
    read_error = 0;
    return error;
}

static void install(void) {
    /* The unix VFS lets its system calls be replaced (sqlite3_vfs.xSetSystemCall). The table belongs to the process,
     * which is why the replacement does what it replaces on every thread that has not asked otherwise. */
    sqlite3_vfs *vfs = sqlite3_vfs_find(0);
    if (!vfs || vfs->iVersion < 3 || !vfs->xSetSystemCall || !vfs->xGetSystemCall || sizeof(off_t) != 8) return;
    /* SQLite was built for the one or the other; the other is null. Both take a 64-bit offset here. */
    const char *name = vfs->xGetSystemCall(vfs, "pread64") ? "pread64" : "pread";
    pread_function original = (pread_function)vfs->xGetSystemCall(vfs, name);
    if (!original) return;
    atomic_store_explicit(&original_pread, original, memory_order_release);
    installed = vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)replaced_pread) == SQLITE_OK;
}

int agent_sessions_hooks_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    /* Written before the end of pthread_once, which orders it before this. */
    return installed && can_give_up;
}

#endif
