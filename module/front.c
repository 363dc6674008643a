// The front of an engine: one address and port for clients with TLS and clients without it. A
// module for Redis 6 and newer and for Valkey, in C.
//
//   loadmodule /usr/lib/hikae/front.so <address> <port> <inner address> <plain port> <TLS port>
//
// An engine listens for the two kinds of clients on two ports. A thread of this module listens
// where clients come, looks at the first byte of each (0x16 begins a TLS handshake, and no command)
// and passes bytes on between the client and one of the two inner ports of the same engine. Being
// in the engine's process it stops, hangs and dies with it, and nobody has to look after it.
//
//   - a client that has not sent anything yet costs a descriptor, and no connection of the engine;
//   - what one side does not take is held back at the other: no more than kChunk bytes are kept for
//     each direction;
//   - children of the engine have none of its descriptors, so that they keep no client waiting;
//   - its descriptors have numbers that the engine does not use, whose event loop takes no larger
//     ones than it may have clients.
//   INFO hikaefront
//     How many clients there are, and how many were turned away because there were too many.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine_abi.h"

// ---- the engine ----

API(void, SetModuleAttribs, RedisModuleCtx*, const char*, int, int);
API(const char*, StringPtrLen, const RedisModuleString*, size_t*);
API(int, StringToLongLong, const RedisModuleString*, long long*);
API(RedisModuleCallReply*, Call, RedisModuleCtx*, const char*, const char*, ...);
API(void, FreeCallReply, RedisModuleCallReply*);
API(int, CallReplyType, RedisModuleCallReply*);
API(size_t, CallReplyLength, RedisModuleCallReply*);
API(RedisModuleCallReply*, CallReplyArrayElement, RedisModuleCallReply*, size_t);
API(const char*, CallReplyStringPtr, RedisModuleCallReply*, size_t*);
API(int, RegisterInfoFunc, RedisModuleCtx*, void (*)(RedisModuleInfoCtx*, int));
API(int, InfoAddSection, RedisModuleInfoCtx*, char*);
API(int, InfoAddFieldULongLong, RedisModuleInfoCtx*, char*, unsigned long long);
API(void, Log, RedisModuleCtx*, const char*, const char*, ...);

static int find_functions(RedisModuleCtx* ctx) {
  const struct Wanted wanted[] = {
      FIND(SetModuleAttribs),
      FIND(StringPtrLen),
      FIND(StringToLongLong),
      FIND(Call),
      FIND(FreeCallReply),
      FIND(CallReplyType),
      FIND(CallReplyLength),
      FIND(CallReplyArrayElement),
      FIND(CallReplyStringPtr),
      FIND(RegisterInfoFunc),
      FIND(InfoAddSection),
      FIND(InfoAddFieldULongLong),
      FIND(Log),
  };
  return find_all(ctx, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

// ---- what there is ----

enum {
  kChunk = 64 * 1024,
  kBacklog = 511,  // as the engine's own
  kEvents = 256,
  kAcceptsAtOnce = 64,
  kHandshake = 0x16,
  // Of files and pipes that an engine opens beside its clients' sockets, generously.
  kEngineFiles = 256,
  // A range of source addresses has as many times the ports.
  kSourceAddresses = 16,
};

enum { kClient = 0, kEngine = 1 };

// Bytes on their way from one side to the other.
struct Flow {
  char* kept;  // what the other side does not take yet: [from, to)
  size_t from;
  size_t to;
  int ended;  // no more comes, and nothing is kept
};

struct Link {
  int side[2];        // descriptors
  uint32_t asked[2];  // what epoll is to tell of them; 0: they are not in it
  enum { kSilent, kConnecting, kRelaying, kGone } state;
  struct Flow flow[2];  // what the client sent; what the engine sent
  struct Link* next_gone;
};

static int listener = -1;
static int poller = -1;
static struct sockaddr_in inner_plain;
static struct sockaddr_in inner_tls;
static int keepalive_seconds;

static int lowest_descriptor;  // of ours
static int most_links;
static atomic_int links;
static atomic_ullong turned_away;
static struct Link* gone;  // to be freed when no event can name them any more

// Which descriptors are ours, for children of the engine. Held while one is opened or closed.
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static unsigned char* ours;
static int ours_end;

static int reserve = -1;  // given up for a moment to turn somebody away when there are no others

static char chunk[kChunk];

// ---- descriptors ----

// Takes over a descriptor that was just opened, under `opening`; -1: there is none left.
static int keep(int fd) {
  int kept = fd;
  if (fd >= 0 && fd < lowest_descriptor) {
    kept = fcntl(fd, F_DUPFD_CLOEXEC, lowest_descriptor);
    close(fd);
  }
  if (kept >= ours_end) {
    close(kept);
    kept = -1;
  }
  if (kept >= 0) {
    ours[kept] = 1;
  }
  return kept;
}

static int open_socket(void) {
  pthread_mutex_lock(&opening);
  const int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  pthread_mutex_unlock(&opening);
  return fd;
}

static void close_descriptor(int fd) {
  pthread_mutex_lock(&opening);
  ours[fd] = 0;
  close(fd);
  pthread_mutex_unlock(&opening);
}

static void before_fork(void) {
  pthread_mutex_lock(&opening);
}

static void after_fork(void) {
  pthread_mutex_unlock(&opening);
}

static void in_child(void) {
  for (int fd = 0; fd < ours_end; ++fd) {
    if (ours[fd]) {
      close(fd);
    }
  }
  pthread_mutex_unlock(&opening);
}

// ---- one client ----

static void ask(struct Link* link, int side, uint32_t events) {
  if (link->asked[side] == events) {
    return;
  }
  struct epoll_event event = {.events = events};
  event.data.u64 = (uint64_t)(uintptr_t)link | (uint64_t)side;
  // A side of which nothing is wanted is not asked for at all: epoll would tell of its end again
  // and again.
  const int how = events == 0              ? EPOLL_CTL_DEL
                  : link->asked[side] == 0 ? EPOLL_CTL_ADD
                                           : EPOLL_CTL_MOD;
  epoll_ctl(poller, how, link->side[side], &event);
  link->asked[side] = events;
}

// `reset`: both sides see a connection that broke, and not one that was closed.
static void drop(struct Link* link, int reset) {
  for (int side = 0; side < 2; ++side) {
    if (link->side[side] >= 0) {
      const struct linger linger = {.l_onoff = 1, .l_linger = 0};
      if (reset) {
        setsockopt(link->side[side], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
      }
      ask(link, side, 0);  // a child that was just forked may have it open still, and so epoll
      close_descriptor(link->side[side]);
      link->side[side] = -1;
    }
    free(link->flow[side].kept);
    link->flow[side].kept = NULL;
  }
  link->state = kGone;
  link->next_gone = gone;
  gone = link;
  atomic_fetch_sub_explicit(&links, 1, memory_order_relaxed);
}

static void free_gone(void) {
  while (gone != NULL) {
    struct Link* next = gone->next_gone;
    free(gone);
    gone = next;
  }
}

static void set_number(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

static void adopt(int fd) {
  struct Link* link = calloc(1, sizeof(*link));
  if (link == NULL) {
    close_descriptor(fd);
    return;
  }
  set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (keepalive_seconds > 0) {  // as the engine has it
    set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_seconds);
    set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_seconds > 3 ? keepalive_seconds / 3 : 1);
    set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  }
  link->side[kClient] = fd;
  link->side[kEngine] = -1;
  atomic_fetch_add_explicit(&links, 1, memory_order_relaxed);
  ask(link, kClient, EPOLLIN);
}

static void open_reserve(void) {
  pthread_mutex_lock(&opening);
  reserve = keep(open("/dev/null", O_RDONLY | O_CLOEXEC));
  pthread_mutex_unlock(&opening);
}

// All descriptors are in use. Who waits is told so, and does not wait for somebody else to leave.
static void turn_away(void) {
  if (reserve >= 0) {
    close_descriptor(reserve);
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
      close(fd);
      atomic_fetch_add_explicit(&turned_away, 1, memory_order_relaxed);
    }
  }
  open_reserve();
  if (reserve < 0) {
    const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
  }
}

static void accept_clients(void) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    pthread_mutex_lock(&opening);
    const int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int failed = errno;
    const int full = atomic_load_explicit(&links, memory_order_relaxed) >= most_links;
    int fd = -1;
    if (accepted >= 0 && full) {
      close(accepted);
    } else if (accepted >= 0) {
      fd = keep(accepted);
    }
    pthread_mutex_unlock(&opening);
    if (fd >= 0) {
      adopt(fd);
    } else if (accepted >= 0) {
      atomic_fetch_add_explicit(&turned_away, 1, memory_order_relaxed);
    } else if (failed == EMFILE || failed == ENFILE || failed == ENOMEM || failed == ENOBUFS) {
      turn_away();
      return;
    } else if (failed != EINTR && failed != ECONNABORTED) {
      return;
    }
  }
}

static void ask_both(struct Link* link) {
  for (int side = 0; side < 2; ++side) {
    const struct Flow* out = &link->flow[side];
    const struct Flow* in = &link->flow[1 - side];
    ask(link, side,
        (out->ended || out->kept != NULL ? 0 : (uint32_t)EPOLLIN) |
            (in->kept != NULL ? (uint32_t)EPOLLOUT : 0));
  }
}

// After something has moved. The engine never closes only half of a connection; a client may.
static void settle(struct Link* link, int reset) {
  if (reset || link->flow[kEngine].ended) {
    drop(link, reset);
    return;
  }
  ask_both(link);
}

static int would_block(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// Sends what it can to the other side; -1: that takes nothing any more.
static ssize_t send_on(struct Link* link, int from, const char* bytes, size_t length) {
  const ssize_t sent = send(link->side[1 - from], bytes, length, MSG_NOSIGNAL);
  return sent < 0 && would_block() ? 0 : sent;
}

// The other side takes nothing any more. What the engine still has to say goes to the client first.
static int give_up_flow(struct Link* link, int from) {
  free(link->flow[from].kept);
  link->flow[from].kept = NULL;
  link->flow[from].ended = 1;
  return from == kEngine;  // the client is gone, and so is the connection
}

// Answers whether the connection broke.
static int take(struct Link* link, int from) {
  struct Flow* flow = &link->flow[from];
  const ssize_t got = recv(link->side[from], chunk, sizeof(chunk), 0);
  if (got < 0) {
    return !would_block();
  }
  if (got == 0) {
    flow->ended = 1;
    if (from == kClient) {
      shutdown(link->side[kEngine], SHUT_WR);
    }
    return 0;
  }
  const ssize_t sent = send_on(link, from, chunk, (size_t)got);
  if (sent < 0) {
    return give_up_flow(link, from);
  }
  if (sent < got) {
    flow->kept = malloc((size_t)(got - sent));
    if (flow->kept == NULL) {
      return 1;
    }
    memcpy(flow->kept, chunk + sent, (size_t)(got - sent));
    flow->from = 0;
    flow->to = (size_t)(got - sent);
  }
  return 0;
}

static int give(struct Link* link, int from) {
  struct Flow* flow = &link->flow[from];
  const ssize_t sent = send_on(link, from, flow->kept + flow->from, flow->to - flow->from);
  if (sent < 0) {
    return give_up_flow(link, from);
  }
  flow->from += (size_t)sent;
  if (flow->from == flow->to) {
    free(flow->kept);
    flow->kept = NULL;
  }
  return 0;
}

static void relay(struct Link* link, int side, uint32_t events) {
  int broken = 0;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && link->flow[1 - side].kept != NULL) {
    broken = give(link, 1 - side);
  }
  const struct Flow* flow = &link->flow[side];
  if (!broken && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && flow->kept == NULL &&
      !flow->ended) {
    broken = take(link, side);
  }
  settle(link, broken);
}

// Source addresses of the loopback network, whatever the node's address is: their ports are free
// again a second after a connection was closed, and not a minute.
static int bind_source(int fd) {
  static unsigned turn;
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % kSourceAddresses);
  set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  return bind(fd, (struct sockaddr*)&source, sizeof(source));
}

static void connect_engine(struct Link* link) {
  unsigned char first = 0;
  const ssize_t seen = recv(link->side[kClient], &first, 1, MSG_PEEK);
  if (seen < 0 && would_block()) {
    return;
  }
  if (seen <= 0) {
    drop(link, seen < 0);
    return;
  }
  const int fd = open_socket();
  link->side[kEngine] = fd;
  if (fd < 0 || bind_source(fd) != 0) {
    drop(link, 1);
    return;
  }
  set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  const struct sockaddr_in* inner = first == kHandshake ? &inner_tls : &inner_plain;
  if (connect(fd, (const struct sockaddr*)inner, sizeof(*inner)) == 0) {
    link->state = kRelaying;
    relay(link, kClient, EPOLLIN);
  } else if (errno == EINPROGRESS) {
    link->state = kConnecting;
    ask(link, kClient, 0);
    ask(link, kEngine, EPOLLOUT);
  } else {
    drop(link, 1);
  }
}

static void finish_connecting(struct Link* link) {
  int failed = 0;
  socklen_t length = sizeof(failed);
  if (getsockopt(link->side[kEngine], SOL_SOCKET, SO_ERROR, &failed, &length) != 0 || failed != 0) {
    drop(link, 1);
    return;
  }
  link->state = kRelaying;
  relay(link, kClient, EPOLLIN);
}

static void* run(void* nothing) {
  struct epoll_event events[kEvents];
  for (;;) {
    const int count = epoll_wait(poller, events, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      struct Link* link = (struct Link*)(uintptr_t)(events[i].data.u64 & ~(uint64_t)1);
      const int side = (int)(events[i].data.u64 & 1);
      if (link == NULL) {
        accept_clients();
      } else if (link->state == kSilent) {
        connect_engine(link);
      } else if (link->state == kConnecting && side == kEngine) {
        finish_connecting(link);
      } else if (link->state == kRelaying) {
        relay(link, side, events[i].events);
      }
    }
    free_gone();
  }
  return nothing;
}

// ---- the beginning ----

static long long configured(RedisModuleCtx* ctx, const char* name) {
  RedisModuleCallReply* reply = Call(ctx, "CONFIG", "cc", "GET", name);
  long long value = -1;
  if (reply != NULL && CallReplyType(reply) == kReplyArray && CallReplyLength(reply) == 2) {
    size_t length = 0;
    char number[24] = "";
    const char* text = CallReplyStringPtr(CallReplyArrayElement(reply, 1), &length);
    if (text != NULL && length < sizeof(number)) {
      memcpy(number, text, length);
      value = strtoll(number, NULL, 10);
    }
  }
  if (reply != NULL) {
    FreeCallReply(reply);
  }
  return value;
}

// Where there are enough descriptors, ours lie behind those of the engine. Else we share them, and
// each client has three.
static int divide_descriptors(RedisModuleCtx* ctx) {
  const long long clients = configured(ctx, "maxclients");
  struct rlimit files;
  if (clients < 1 || clients > 1000000 || getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return kError;
  }
  const rlim_t wish = (rlim_t)(3 * clients + 2 * kEngineFiles);
  if (files.rlim_cur < wish) {
    const struct rlimit more = {files.rlim_max < wish ? files.rlim_max : wish, files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &more);
    getrlimit(RLIMIT_NOFILE, &files);
  }
  ours_end = (int)(files.rlim_cur < wish ? files.rlim_cur : wish);
  const int behind = ours_end == (int)wish;
  lowest_descriptor = behind ? (int)clients + kEngineFiles : 0;
  const int shared = ours_end < (int)clients ? ours_end : (int)clients;
  most_links = behind ? (int)clients : (shared - kEngineFiles) / 3;
  ours = calloc((size_t)ours_end, 1);
  return ours != NULL && most_links > 0 ? kOk : kError;
}

static int read_place(const RedisModuleString* address, const RedisModuleString* port,
                      struct sockaddr_in* out) {
  long long number = 0;
  out->sin_family = AF_INET;
  if (inet_pton(AF_INET, StringPtrLen(address, NULL), &out->sin_addr) != 1 ||
      StringToLongLong(port, &number) != kOk || number < 1 || number > 65535) {
    return kError;
  }
  out->sin_port = htons((uint16_t)number);
  return kOk;
}

// 0, or why not.
static int begin_listening(const struct sockaddr_in* at) {
  listener = open_socket();
  if (listener < 0) {
    return errno;
  }
  set_number(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(listener, (const struct sockaddr*)at, sizeof(*at)) != 0 ||
      listen(listener, kBacklog) != 0) {
    return errno;
  }
  pthread_mutex_lock(&opening);
  poller = keep(epoll_create1(EPOLL_CLOEXEC));
  pthread_mutex_unlock(&opening);
  struct epoll_event event = {.events = EPOLLIN};  // its link is NULL
  return poller >= 0 && epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) == 0 ? 0 : errno;
}

// The engine's signals are none of this thread's business.
static int start_thread(void) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int failed = pthread_create(&thread, NULL, run, NULL);
  if (failed == 0) {
    pthread_setname_np(thread, "hikae_front");
    pthread_detach(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

static void tell(RedisModuleInfoCtx* info, int for_crash_report) {
  (void)for_crash_report;
  InfoAddSection(info, "");
  InfoAddFieldULongLong(info, "clients", (unsigned long long)atomic_load(&links));
  InfoAddFieldULongLong(info, "most_clients", (unsigned long long)most_links);
  InfoAddFieldULongLong(info, "turned_away", atomic_load(&turned_away));
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx,
                                                              RedisModuleString** argv, int argc) {
  if (find_functions(ctx) != kOk) {
    return kError;
  }
  SetModuleAttribs(ctx, "hikaefront", 1, kApiVersion);
  struct sockaddr_in at = {0};
  if (argc != 5 || read_place(argv[0], argv[1], &at) != kOk ||
      read_place(argv[2], argv[3], &inner_plain) != kOk ||
      read_place(argv[2], argv[4], &inner_tls) != kOk) {
    Log(ctx, "warning", "hikae front: two addresses and three ports are wanted");
    return kError;
  }
  const long long keepalive = configured(ctx, "tcp-keepalive");
  keepalive_seconds = keepalive > 0 && keepalive < 32767 ? (int)keepalive : 0;
  if (divide_descriptors(ctx) != kOk || RegisterInfoFunc(ctx, tell) != kOk) {
    Log(ctx, "warning", "hikae front: this engine cannot have it");
    return kError;
  }
  open_reserve();
  int failed = begin_listening(&at);
  failed = failed != 0 ? failed : pthread_atfork(before_fork, after_fork, in_child);
  failed = failed != 0 ? failed : start_thread();
  if (failed != 0) {
    Log(ctx, "warning", "hikae front: it cannot listen on %s port %d: %s",
        StringPtrLen(argv[0], NULL), ntohs(at.sin_port), strerror(failed));
    return kError;
  }
  return kOk;
}

// Its thread runs for as long as the engine does.
__attribute__((visibility("default"))) int RedisModule_OnUnload(RedisModuleCtx* ctx) {
  (void)ctx;
  errno = EBUSY;
  return kError;
}
