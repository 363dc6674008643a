#pragma once

#include <string>
#include <vector>

#include "core/resource/ids.h"
#include "core/resource/tags.h"

namespace hikae::core {

// Somebody who may log in to the nodes of replication groups, and what they may do there. The
// region's user `default` is not a resource: it never changes (state/access.h).
struct User {
  using Key = UserId;
  static constexpr const char* kKind = "user";
  UserId id;
  std::string name;                 // by which clients log in; need not be unique in the region
  std::string engine;               // `redis`, `valkey`
  std::string status = "active";    // active, modifying, deleting
  std::string access_string;        // byte for byte as the client wrote it
  std::vector<std::string> hashes;  // of its passwords, SHA-256, hexadecimal; none: needs none
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("name", s.name);
    v("engine", s.engine);
    v("status", s.status);
    v("access_string", s.access_string);
    v("hashes", s.hashes);
    v("tags", s.tags);
  }
};

// The users of the replication groups that name it.
struct UserGroup {
  using Key = UserGroupId;
  static constexpr const char* kKind = "user_group";
  UserGroupId id;
  std::string engine;             // `redis`, `valkey`
  std::string status = "active";  // active, modifying
  std::vector<UserId> users;      // as it should be
  // Of these: what the nodes of its replication groups may not have taken yet. Both empty unless
  // modifying.
  std::vector<UserId> adding;
  std::vector<UserId> removing;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("engine", s.engine);
    v("status", s.status);
    v("users", s.users);
    v("adding", s.adding);
    v("removing", s.removing);
    v("tags", s.tags);
  }
};

}  // namespace hikae::core
