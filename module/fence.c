// The fence inside an engine: refuses writes once the lease of the primary has run out, without
// anybody having to act. A module for Redis 6 and newer and for Valkey, in C, against the functions
// that are declared below.
//
//   loadmodule /usr/lib/hikae/fence.so <lease file> <own address>
//
// The lease is 16 bytes of shared memory, which the node's agent writes: an epoch, and the time on
// CLOCK_BOOTTIME until which writes are taken, in microseconds. Epoch zero: no lease is needed.
// Shared memory and no command renews it, because an engine that runs a long command takes no
// other, and would refuse writes afterwards though its agent never was late.
//
//   HIKAE.PROMISE <epoch> <ms> <address>...
//     On a primary, from its agent: goes to the replicas as part of the stream. A replica whose
//     address is named takes note that it is counted on in that epoch, and promises not to become
//     a primary for so long; it answers by acknowledging the stream. Zero: no promise.
//   INFO hikae
//     What the agent wants to know.

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "engine_abi.h"
#include "lease.h"

// ---- the engine ----

// Of the context of a command: the engine is a replica; the command came with its primary's stream.
enum { kIsReplica = 1 << 3, kIsReplicated = 1 << 12 };
// Of a client: it came by the engine's unix socket.
enum { kByUnixSocket = 1 << 4, kClientInfoVersion = 1 };

API(void, SetModuleAttribs, RedisModuleCtx*, const char*, int, int);
API(int, CreateCommand, RedisModuleCtx*, const char*, Command, const char*, int, int, int);
API(int, ReplyWithError, RedisModuleCtx*, const char*);
API(int, ReplyWithSimpleString, RedisModuleCtx*, const char*);
API(int, WrongArity, RedisModuleCtx*);
API(int, Replicate, RedisModuleCtx*, const char*, const char*, ...);
API(int, GetContextFlags, RedisModuleCtx*);
API(unsigned long long, GetClientId, RedisModuleCtx*);
API(int, GetClientInfoById, void*, uint64_t);
API(const char*, StringPtrLen, const RedisModuleString*, size_t*);
API(int, StringToLongLong, const RedisModuleString*, long long*);
API(RedisModuleString*, CreateString, RedisModuleCtx*, const char*, size_t);
API(RedisModuleCallReply*, Call, RedisModuleCtx*, const char*, const char*, ...);
API(void, FreeCallReply, RedisModuleCallReply*);
API(int, CallReplyType, RedisModuleCallReply*);
API(size_t, CallReplyLength, RedisModuleCallReply*);
API(RedisModuleCallReply*, CallReplyArrayElement, RedisModuleCallReply*, size_t);
API(const char*, CallReplyStringPtr, RedisModuleCallReply*, size_t*);
API(RedisModuleCommandFilter*, RegisterCommandFilter, RedisModuleCtx*,
    void (*)(RedisModuleCommandFilterCtx*), int);
API(int, CommandFilterArgsCount, RedisModuleCommandFilterCtx*);
API(RedisModuleString*, CommandFilterArgGet, RedisModuleCommandFilterCtx*, int);
API(int, CommandFilterArgInsert, RedisModuleCommandFilterCtx*, int, RedisModuleString*);
API(int, CommandFilterArgReplace, RedisModuleCommandFilterCtx*, int, RedisModuleString*);
API(int, RegisterInfoFunc, RedisModuleCtx*, void (*)(RedisModuleInfoCtx*, int));
API(int, InfoAddSection, RedisModuleInfoCtx*, char*);
API(int, InfoAddFieldULongLong, RedisModuleInfoCtx*, char*, unsigned long long);
API(void, Log, RedisModuleCtx*, const char*, const char*, ...);

static int find_functions(RedisModuleCtx* ctx) {
  const struct Wanted wanted[] = {
      FIND(SetModuleAttribs),
      FIND(CreateCommand),
      FIND(ReplyWithError),
      FIND(ReplyWithSimpleString),
      FIND(WrongArity),
      FIND(Replicate),
      FIND(GetContextFlags),
      FIND(GetClientId),
      FIND(GetClientInfoById),
      FIND(StringPtrLen),
      FIND(StringToLongLong),
      FIND(CreateString),
      FIND(Call),
      FIND(FreeCallReply),
      FIND(CallReplyType),
      FIND(CallReplyLength),
      FIND(CallReplyArrayElement),
      FIND(CallReplyStringPtr),
      FIND(RegisterCommandFilter),
      FIND(CommandFilterArgsCount),
      FIND(CommandFilterArgGet),
      FIND(CommandFilterArgInsert),
      FIND(CommandFilterArgReplace),
      FIND(RegisterInfoFunc),
      FIND(InfoAddSection),
      FIND(InfoAddFieldULongLong),
      FIND(Log),
  };
  return find_all(ctx, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

// ---- what the fence knows ----

static const struct Lease* lease;
static char own_address[64];

static int64_t promised_until;  // as a replica
static uint64_t counted_epoch;
static uint64_t refused;

// At most so much later than it is: an exact look at the clock costs a tenth of a short command.
// Another one is due when the kernel's tick has moved the wall clock, which is cheap to read and
// jumps when a suspended machine wakes up; and after some commands in any case, should the
// processor that counts ticks stand still.
static int64_t lately_us(void) {
  enum { kCommands = 32 };
  static struct timespec tick;
  static int64_t looked;
  static int commands;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_nsec != tick.tv_nsec || now.tv_sec != tick.tv_sec || ++commands >= kCommands) {
    tick = now;
    commands = 0;
    looked = now_us();
  }
  return looked;
}

static int64_t tick_us = 10000;  // the longest of all kernels, until this one has told its own

static void learn_tick(void) {
  struct timespec tick;
  if (clock_getres(CLOCK_REALTIME_COARSE, &tick) == 0 && tick.tv_sec == 0) {
    tick_us = tick.tv_nsec / 1000 + 1;
  }
}

static int is_open(void) {
  return atomic_load_explicit(&lease->epoch, memory_order_acquire) == 0 ||
         lately_us() + tick_us < atomic_load_explicit(&lease->until, memory_order_acquire);
}

static int is_replica(void) {
  return (GetContextFlags(NULL) & kIsReplica) != 0;
}

// ---- which commands write ----

// Open addressing over the names of all commands that do not write; `xgroup|create` for parts of
// one. What is not in it counts as a write.
enum { kSlots = 4096, kLongestName = 47 };
static char harmless[kSlots][kLongestName + 1];

static uint32_t hash_of(const char* name) {
  uint32_t hash = 2166136261U;
  for (; *name != '\0'; ++name) {
    hash = (hash ^ (unsigned char)*name) * 16777619U;
  }
  return hash;
}

static char* slot_of(const char* name) {
  uint32_t at = hash_of(name) % kSlots;
  while (harmless[at][0] != '\0' && strcmp(harmless[at], name) != 0) {
    at = (at + 1) % kSlots;
  }
  return harmless[at];
}

// Appends the text in lower case; 0: it is too long for a name.
static int append(char name[kLongestName + 1], const char* text, size_t length) {
  const size_t used = strlen(name);
  if (used + length > kLongestName || memchr(text, '\0', length) != NULL) {
    return 0;
  }
  for (size_t i = 0; i < length; ++i) {
    const char c = text[i];
    name[used + i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  name[used + length] = '\0';
  return 1;
}

static int has_flag(RedisModuleCallReply* flags, const char* wanted) {
  for (size_t i = 0; i < CallReplyLength(flags); ++i) {
    size_t length = 0;
    const char* flag = CallReplyStringPtr(CallReplyArrayElement(flags, i), &length);
    if (flag != NULL && length == strlen(wanted) && memcmp(flag, wanted, length) == 0) {
      return 1;
    }
  }
  return 0;
}

// One entry of COMMAND: name, arity, flags, ..., and since Redis 7 its parts as the tenth. Answers
// how many names it added.
static int learn_command(RedisModuleCallReply* entry) {
  enum { kFlags = 2, kParts = 9 };
  size_t length = 0;
  const char* text = CallReplyStringPtr(CallReplyArrayElement(entry, 0), &length);
  RedisModuleCallReply* flags = CallReplyArrayElement(entry, kFlags);
  if (text == NULL || flags == NULL) {
    return 0;
  }
  RedisModuleCallReply* parts =
      CallReplyLength(entry) > kParts ? CallReplyArrayElement(entry, kParts) : NULL;
  int added = 0;
  if (parts != NULL && CallReplyType(parts) == kReplyArray && CallReplyLength(parts) > 0) {
    for (size_t i = 0; i < CallReplyLength(parts); ++i) {
      added += learn_command(CallReplyArrayElement(parts, i));
    }
    return added;
  }
  char name[kLongestName + 1] = "";
  if (!has_flag(flags, "write") && append(name, text, length)) {
    strcpy(slot_of(name), name);
    ++added;
  }
  return added;
}

static int learn_commands(RedisModuleCtx* ctx) {
  RedisModuleCallReply* all = Call(ctx, "COMMAND", "");
  if (all == NULL || CallReplyType(all) != kReplyArray) {
    return kError;
  }
  int added = 0;
  for (size_t i = 0; i < CallReplyLength(all) && added < kSlots / 2; ++i) {
    added += learn_command(CallReplyArrayElement(all, i));
  }
  FreeCallReply(all);
  return added > 0 && added < kSlots / 2 ? kOk : kError;
}

// ---- the filter ----

static int is_word(const RedisModuleString* argument, const char* word) {
  size_t length = 0;
  const char* text = StringPtrLen(argument, &length);
  return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static int writes(RedisModuleCommandFilterCtx* filter, const char* name) {
  if (strncmp(name, "hikae.", strlen("hikae.")) == 0 || slot_of(name)[0] != '\0') {
    return 0;
  }
  char part[kLongestName + 1] = "";
  if (CommandFilterArgsCount(filter) < 2) {
    return 1;
  }
  size_t length = 0;
  const char* text = StringPtrLen(CommandFilterArgGet(filter, 1), &length);
  const int known = append(part, name, strlen(name)) && append(part, "|", 1) &&
                    append(part, text, length) && slot_of(part)[0] != '\0';
  return !known;
}

static void replace_by(RedisModuleCommandFilterCtx* filter, const char* command) {
  CommandFilterArgReplace(filter, 0, CreateString(NULL, command, strlen(command)));
}

static void refuse_write(RedisModuleCommandFilterCtx* filter, const char* name) {
  ++refused;
  // What was queued before the lease ran out must not run. An EXEC with an argument too many ends
  // the transaction with EXECABORT; another command in its place would only be queued, too.
  if (strcmp(name, "exec") == 0) {
    CommandFilterArgInsert(filter, 1, CreateString(NULL, "refused", strlen("refused")));
  } else {
    replace_by(filter, "hikae.readonly");
  }
}

static void check_promotion(RedisModuleCommandFilterCtx* filter, const char* name) {
  if ((strcmp(name, "replicaof") == 0 || strcmp(name, "slaveof") == 0) &&
      CommandFilterArgsCount(filter) == 3 && is_word(CommandFilterArgGet(filter, 1), "no") &&
      is_word(CommandFilterArgGet(filter, 2), "one") && now_us() < promised_until && is_replica()) {
    replace_by(filter, "hikae.promised");
  }
}

// Called for every command, those of scripts and of a primary's stream too. What it costs when the
// lease is good is one cheap look at a clock.
static void filter_command(RedisModuleCommandFilterCtx* filter) {
  const int open = is_open();
  if (open && promised_until == 0) {
    return;
  }
  size_t length = 0;
  const char* text = StringPtrLen(CommandFilterArgGet(filter, 0), &length);
  char name[kLongestName + 1] = "";
  const int known = append(name, text, length);
  if (promised_until != 0) {
    check_promotion(filter, name);
    promised_until = now_us() < promised_until ? promised_until : 0;
  }
  // A replica refuses its clients' writes by itself, and takes its primary's.
  if (!open && (!known || strcmp(name, "exec") == 0 || writes(filter, name)) && !is_replica()) {
    refuse_write(filter, name);
  }
}

// ---- commands ----

static int readonly_command(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  return ReplyWithError(ctx, "READONLY This primary has no lease and takes no writes now.");
}

static int promised_command(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  return ReplyWithError(ctx, "PROMISED This replica has promised its primary not to lead yet.");
}

static void take_promise(long long epoch, long long ms, RedisModuleString** addresses, int count) {
  for (int i = 0; i < count; ++i) {
    size_t length = 0;
    const char* address = StringPtrLen(addresses[i], &length);
    if (length == strlen(own_address) && memcmp(address, own_address, length) == 0) {
      counted_epoch = (uint64_t)epoch;
      // The clocks of the two machines may differ by one per cent.
      const int64_t until = now_us() + ms * 1010;
      promised_until = ms > 0 && until > promised_until ? until : promised_until;
    }
  }
}

// Only the agent reaches the engine by its unix socket; clients come by the network.
static int is_agent(RedisModuleCtx* ctx) {
  ClientInfo client = {.version = kClientInfoVersion};
  return GetClientInfoById(&client, GetClientId(ctx)) == kOk && (client.flags & kByUnixSocket) != 0;
}

static int promise_command(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  enum { kLongestPromise = 60000 };
  long long epoch = 0;
  long long ms = 0;
  if (argc < 3) {
    return WrongArity(ctx);
  }
  if (StringToLongLong(argv[1], &epoch) != kOk || StringToLongLong(argv[2], &ms) != kOk ||
      epoch < 1 || ms < 0 || ms > kLongestPromise) {
    return ReplyWithError(ctx, "ERR an epoch and a number of milliseconds are wanted");
  }
  if ((GetContextFlags(ctx) & kIsReplicated) != 0) {
    take_promise(epoch, ms, argv + 3, argc - 3);
  } else if (is_replica() || !is_agent(ctx)) {
    return ReplyWithError(ctx, "NOPERM the node's agent alone makes replicas promise something");
  } else {
    // Not into an append-only file (A): that is to be read without this module, too. A replica
    // keeps nothing of it in its own, because it changes no data there.
    Replicate(ctx, "hikae.promise", "Av", argv + 1, (size_t)(argc - 1));
  }
  return ReplyWithSimpleString(ctx, "OK");
}

static void tell(RedisModuleInfoCtx* info, int for_crash_report) {
  (void)for_crash_report;
  const int64_t left = promised_until - now_us();
  InfoAddSection(info, "");
  InfoAddFieldULongLong(info, "epoch", atomic_load(&lease->epoch));
  InfoAddFieldULongLong(info, "open", (unsigned long long)is_open());
  InfoAddFieldULongLong(info, "refused", refused);
  InfoAddFieldULongLong(info, "counted_epoch", counted_epoch);
  InfoAddFieldULongLong(info, "promised_ms", left > 0 ? (unsigned long long)(left / 1000 + 1) : 0);
}

// ---- the beginning ----

static int create_commands(RedisModuleCtx* ctx) {
  // Whoever may run a write is to see why it is refused: `no-auth` asks for no permission.
  const char* const kAnswer = "no-auth fast allow-loading allow-stale";
  return CreateCommand(ctx, "hikae.readonly", readonly_command, kAnswer, 0, 0, 0) == kOk &&
                 CreateCommand(ctx, "hikae.promised", promised_command, kAnswer, 0, 0, 0) == kOk &&
                 // A write: so it waits while writes are paused, when the stream must stand still.
                 CreateCommand(ctx, "hikae.promise", promise_command, "write admin fast", 0, 0,
                               0) == kOk
             ? kOk
             : kError;
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx,
                                                              RedisModuleString** argv, int argc) {
  if (find_functions(ctx) != kOk) {
    return kError;
  }
  SetModuleAttribs(ctx, "hikae", 1, kApiVersion);
  if (argc != 2) {
    Log(ctx, "warning", "hikae fence: a lease file and the own address are wanted");
    return kError;
  }
  size_t length = 0;
  const char* address = StringPtrLen(argv[1], &length);
  if (length >= sizeof(own_address)) {
    return kError;
  }
  memcpy(own_address, address, length);
  learn_tick();
  const int failed = open_lease(StringPtrLen(argv[0], NULL), &lease);
  if (failed != 0) {
    Log(ctx, "warning", "hikae fence: the lease file cannot be used: %s", strerror(failed));
    return kError;
  }
  if (learn_commands(ctx) != kOk || create_commands(ctx) != kOk ||
      RegisterInfoFunc(ctx, tell) != kOk || RegisterCommandFilter(ctx, filter_command, 0) == NULL) {
    Log(ctx, "warning", "hikae fence: this engine cannot have it");
    return kError;
  }
  return kOk;
}
