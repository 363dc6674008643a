// What the fence's filter takes for a command while the lease is good, beside a filter that does
// nothing: the price without what two processes of an engine differ by. Medians of turns.

#include <stdio.h>

#include "../../module/fence.c"

enum { kTurns = 51, kCalls = 2000000 };

typedef void (*Filter)(RedisModuleCommandFilterCtx*);

static void no_filter(RedisModuleCommandFilterCtx* filter) {
  (void)filter;
}

static double ns_a_call(Filter filter) {
  struct timespec begin;
  struct timespec end;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
  for (int i = 0; i < kCalls; ++i) {
    filter(NULL);
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
         kCalls;
}

static int by_size(const void* a, const void* b) {
  const double left = *(const double*)a;
  const double right = *(const double*)b;
  return (left > right) - (left < right);
}

static double median_of(double* times) {
  qsort(times, kTurns, sizeof(*times), by_size);
  return times[kTurns / 2];
}

int main(void) {
  static struct Lease good;
  atomic_store(&good.epoch, 1);
  atomic_store(&good.until, now_us() + 3600000000);
  lease = &good;
  learn_tick();
  double with_fence[kTurns];
  double without[kTurns];
  // By pointers that the compiler cannot see through, as an engine has them.
  Filter volatile fence = filter_command;
  Filter volatile none = no_filter;
  for (int turn = 0; turn < kTurns; ++turn) {
    with_fence[turn] = ns_a_call(fence);
    without[turn] = ns_a_call(none);
  }
  const double fence_ns = median_of(with_fence);
  const double none_ns = median_of(without);
  printf("the fence takes %.1f ns a command, an empty filter %.1f ns\n", fence_ns, none_ns);
  return refused == 0 ? 0 : 1;
}
