// Put before libc by LD_PRELOAD: writes the path of each file and directory that the process makes durable, a line each, to
// the file that RECORDED_SYNCS names. Built by the tests.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void record(int descriptor) {
    const char *file = getenv("RECORDED_SYNCS");
    char link[64], path[4096];
    if (!file) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length++] = '\n';
    int output = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) return;
    if (write(output, path, (size_t)length) < 0) abort();
    close(output);
}

int fsync(int descriptor) { record(descriptor); return (int)syscall(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { record(descriptor); return (int)syscall(SYS_fdatasync, descriptor); }
