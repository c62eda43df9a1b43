// Put before libc by LD_PRELOAD: a disk on which folders cannot be made durable. Built by the tests.
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int descriptor) {
  struct stat information;
  if (fstat(descriptor, &information) == 0 && S_ISDIR(information.st_mode)) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fsync, descriptor);
}
