// Put before libc by LD_PRELOAD in a server of PostgreSQL, which syncs its log by fdatasync: where its data folder has a file
// "failing_log_sync", the next sync of a process whose title ends with what stands in the file fails, once. Built by the tests.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static size_t read_file(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, size - 1);
    close(file);
    while (count > 0 && (text[count - 1] == '\0' || text[count - 1] == ' ' || text[count - 1] == '\n')) count--;
    return count > 0 ? (size_t)count : 0;
}

int fdatasync(int descriptor) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    char word[64], title[512];
    const char *path = "failing_log_sync";
    size_t length = read_file(path, word, sizeof word);
    size_t count = length ? read_file("/proc/self/cmdline", title, sizeof title) : 0;
    if (length && count >= length && memcmp(title + count - length, word, length) == 0) {
        unlink(path);
        errno = EIO;
        return -1;
    }
    return next(descriptor);
}
