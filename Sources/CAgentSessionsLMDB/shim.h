#include <lmdb.h>

#if defined(__linux__)
#include <sys/types.h>
/* In <fcntl.h> for GNU sources alone, and Swift's view of the C library is none. Mode 1 is FALLOC_FL_KEEP_SIZE. */
int fallocate(int descriptor, int mode, off_t offset, off_t length);
#endif
