// The modules ABI of Redis 6 and newer and of Valkey, as far as our modules use it.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct RedisModuleCtx RedisModuleCtx;
typedef struct RedisModuleString RedisModuleString;
typedef struct RedisModuleCallReply RedisModuleCallReply;
typedef struct RedisModuleCommandFilter RedisModuleCommandFilter;
typedef struct RedisModuleCommandFilterCtx RedisModuleCommandFilterCtx;
typedef struct RedisModuleInfoCtx RedisModuleInfoCtx;
typedef int (*Command)(RedisModuleCtx* ctx, RedisModuleString** argv, int argc);

enum { kOk = 0, kError = 1, kApiVersion = 1 };
enum { kReplyArray = 3 };

// Of a client, as GetClientInfoById tells.
typedef struct {
  uint64_t version;
  uint64_t flags;
  uint64_t id;
  char address[46];
  uint16_t port;
  uint16_t database;
} ClientInfo;

// A function of the engine, for a module's own list of them.
#define API(result, name, ...) static result (*name)(__VA_ARGS__)

struct Wanted {
  const char* name;
  void* pointer;
};
#define FIND(name) {"RedisModule_" #name, (void*)&name}

static int find_all(RedisModuleCtx* ctx, const struct Wanted* wanted, size_t count) {
  // An engine puts the function that finds the others first in what it hands to a new module.
  int (*find)(const char*, void*) = NULL;
  memcpy(&find, (void*)ctx, sizeof(find));
  for (size_t i = 0; i < count; ++i) {
    if (find(wanted[i].name, wanted[i].pointer) != kOk) {
      return kError;
    }
  }
  return kOk;
}
