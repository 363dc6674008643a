#pragma once

// The lease of one engine, as its node's agent writes it (src/adapters/lease_memory) and its fence
// reads it.

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct Lease {
  _Atomic uint64_t epoch;  // zero: no lease is needed
  _Atomic int64_t until;   // on now_us()
};

// CLOCK_BOOTTIME, in microseconds: it goes on while the machine is suspended.
static inline int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// Maps it for as long as the process lives. Zero, or an errno.
static inline int open_lease(const char* path, const struct Lease** lease) {
  const int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) {
    return errno;
  }
  struct stat info;
  int failed = fstat(file, &info) != 0 ? errno : 0;
  if (failed == 0 && (!S_ISREG(info.st_mode) || info.st_size < (off_t)sizeof(struct Lease))) {
    failed = EINVAL;
  }
  void* mapped =
      failed != 0 ? MAP_FAILED : mmap(NULL, sizeof(struct Lease), PROT_READ, MAP_SHARED, file, 0);
  failed = failed == 0 && mapped == MAP_FAILED ? errno : failed;
  close(file);
  *lease = failed == 0 ? (const struct Lease*)mapped : NULL;
  return failed;
}
