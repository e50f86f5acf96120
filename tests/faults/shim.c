/* Fails, or kills the process at, the k-th operation that changes a file below a folder. Preloaded by `driver.py`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, FAIL, KILL };
static char root[PATH_MAX];
static long wanted, seen;
static int mode = -1;

void faults_arm(const char *folder, long number, int what) {
  strncpy(root, folder, sizeof root - 1);
  wanted = number;
  seen = 0;
  mode = what;
}

long faults_seen(void) { return __atomic_load_n(&seen, __ATOMIC_SEQ_CST); }

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Counts an operation on a path, and says whether it is the one that is to go wrong. */
static int counts(const char *path) {
  if (mode < 0 || strncmp(path, root, strlen(root))) return 0;
  return __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) == wanted && mode != COUNT;
}

static int counts_file(int file) {
  char link[64], path[PATH_MAX];
  if (mode < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return counts(path);
}

/* The process does not come back from this if it is to be killed. */
static int go_wrong(void) {
  if (mode == KILL) kill(getpid(), SIGKILL);
  errno = ENOSPC;
  return -1;
}

ssize_t write(int file, const void *content, size_t count) {
  if (!counts_file(file)) return NEXT(write)(file, content, count);
  /* A write is torn in the middle: what fits on the disk, or what was written before the end, stays. */
  NEXT(write)(file, content, count / 2);
  return go_wrong();
}
ssize_t pwrite(int file, const void *content, size_t count, off_t place) {
  return counts_file(file) ? go_wrong() : NEXT(pwrite)(file, content, count, place);
}
ssize_t pwrite64(int file, const void *content, size_t count, off64_t place) {
  return counts_file(file) ? go_wrong() : NEXT(pwrite64)(file, content, count, place);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  return counts_file(file) ? go_wrong() : NEXT(writev)(file, parts, count);
}
int fsync(int file) { return counts_file(file) ? go_wrong() : NEXT(fsync)(file); }
int fdatasync(int file) { return counts_file(file) ? go_wrong() : NEXT(fdatasync)(file); }
int ftruncate(int file, off_t length) { return counts_file(file) ? go_wrong() : NEXT(ftruncate)(file, length); }
int ftruncate64(int file, off64_t length) { return counts_file(file) ? go_wrong() : NEXT(ftruncate64)(file, length); }
int rename(const char *from, const char *to) { return counts(to) ? go_wrong() : NEXT(rename)(from, to); }
int mkdir(const char *path, mode_t rights) { return counts(path) ? go_wrong() : NEXT(mkdir)(path, rights); }

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); mode_t rights = va_arg(rest, int); va_end(rest); \
    if ((flags & O_CREAT) && counts(path)) return go_wrong(); \
    return NEXT(name)(path, flags, rights); \
  }
OPEN(open)
OPEN(open64)
