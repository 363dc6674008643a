#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/process/child.h"
#include "adapters/process/posix.h"
#include "adapters/process/proc_files.h"
#include "base/result.h"
#include "core/resource/ids.h"

namespace hikae::adapters {

// Directories of the nodes of one host: `<root>/<cluster>/<node>`. A node's directory belongs to
// the user of the engines, so nothing in it is trusted: no symbolic link is followed, nothing but
// regular files is opened. All calls may be used from several threads.
class NodeDirectories {
 public:
  // Makes the root and what is missing above it (0700). kDenied, kExhausted.
  static Result<NodeDirectories> open(const std::string& root, std::optional<Account> owner);

  // Opens the node's directory. kNotFound: there is none. kInvalid: not a possible name.
  Result<Descriptor> find(const core::NodeKey& node) const;
  Result<Descriptor> find_or_make(const core::NodeKey& node) const;
  // Every node that has a directory.
  Result<std::vector<core::NodeKey>> list() const;
  // With all in it. Removing what is not there succeeds.
  Status remove(const core::NodeKey& node) const;

  int root() const { return root_.get(); }
  const std::string& root_path() const { return path_; }
  const std::optional<Account>& owner() const { return owner_; }

 private:
  Result<Descriptor> enter(int parent, const std::string& name, bool make, bool owned) const;

  Descriptor root_;
  std::string path_;
  std::optional<Account> owner_;  // nullopt: ourselves
};

Result<DirectoryId> directory_id(int directory);

// A new file of that name, 0600, owned by `owner`; whatever had the name before is unlinked.
Status write_new_file(int directory, const std::string& name, std::string_view content,
                      const std::optional<Account>& owner);
// Replaces a file atomically and durably.
Status replace_file(int directory, const std::string& name, std::string_view content,
                    const std::optional<Account>& owner);
// Replaces the file by a copy of the one at `source`, which may be large.
Status copy_file(int directory, const std::string& name, const std::string& source,
                 const std::optional<Account>& owner);
// Changes the content of the same inode by one write, so that whoever reads it sees the old or the
// new one.
Status overwrite_file(int directory, const std::string& name, std::string content);
// At most 1 MiB; nullopt when it cannot be read.
std::optional<std::string> read_small_file(int directory, const std::string& name);
// Bytes of a regular file, or of the regular files in a directory; 0 when it is neither.
std::uint64_t stored_size(int directory, const std::string& name);
// Opens for appending, made where missing.
Result<Descriptor> open_for_append(int directory, const std::string& name,
                                   const std::optional<Account>& owner);

}  // namespace hikae::adapters
