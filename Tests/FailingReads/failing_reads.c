// Put before libc by LD_PRELOAD: a disk that cannot read a file whose name ends with BAD_FILE from byte BAD_FROM on,
// the first BAD_TIMES times. Built by the tests.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_bad(int descriptor, long long offset) {
    static int count;
    const char *file = getenv("BAD_FILE"), *from = getenv("BAD_FROM"), *times = getenv("BAD_TIMES");
    if (!file || !from || !times || offset < atoll(from) || count >= atoi(times)) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(file)) return 0;
    path[length] = 0;
    if (strcmp(path + length - strlen(file), file)) return 0;
    count++;
    errno = EIO;
    return 1;
}

ssize_t pread64(int descriptor, void *buffer, size_t count, off_t offset) {
    static ssize_t (*original)(int, void *, size_t, off_t);
    if (!original) original = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
    return is_bad(descriptor, offset) ? -1 : original(descriptor, buffer, count, offset);
}

ssize_t pread(int descriptor, void *buffer, size_t count, off_t offset) {
    return pread64(descriptor, buffer, count, offset);
}

// A disk that fails has nothing in the system's cache.
ssize_t preadv2(int descriptor, const struct iovec *vectors, int count, off_t offset, int flags) {
    static ssize_t (*original)(int, const struct iovec *, int, off_t, int);
    if (!original) original = (ssize_t(*)(int, const struct iovec *, int, off_t, int))dlsym(RTLD_NEXT, "preadv2");
    return is_bad(descriptor, offset) ? -1 : original(descriptor, vectors, count, offset, flags);
}
