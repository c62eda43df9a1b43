// Put before libc by LD_PRELOAD: a disk on which every request to make something durable fails. Built by the tests.
#include <errno.h>
#include <stddef.h>

int fsync(int descriptor) { (void)descriptor; errno = EIO; return -1; }
int fdatasync(int descriptor) { (void)descriptor; errno = EIO; return -1; }
int msync(void *address, size_t length, int flags) { (void)address; (void)length; (void)flags; errno = EIO; return -1; }
