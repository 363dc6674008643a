#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store_etcd/etcd_client.h"
#include "adapters/store_etcd/layout.h"
#include "base/random.h"
#include "control/ports.h"

namespace hikae::etcd {

// The state in etcd, changed by several servers (docs/adr/0017-state-in-etcd.md): a key for every
// resource, and the head, whose replacement is the commit. A change that is too large for one
// transaction of etcd is staged beside the state first, and one small transaction makes it count.
class EtcdStore final : public control::Store {
 public:
  // `random` names this store's changes.
  EtcdStore(EtcdClient& client, Random& random);

  control::Awaitable<Result<core::State>> load() override;
  // kExhausted: one resource is too large, or etcd is full.
  control::Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                                    std::optional<control::LeaderTerm> term) override;
  // Fills the store with the state, which keeps its revision. kConflict: it holds one already.
  control::Awaitable<Status> restore(core::State state);

  // The newest load(): a watch that begins behind it misses nothing.
  struct Loaded {
    core::Revision revision;
    std::uint64_t etcd_revision = 0;  // 0: nothing was loaded yet
  };
  const Loaded& loaded() const { return loaded_; }

  // The rows of the staged change that this head names, as they were at that revision of etcd's
  // store. kConflict: compacted.
  control::Awaitable<Result<std::vector<storage::RowChange>>> staged_rows(
      Head head, std::uint64_t etcd_revision);

 private:
  // The head as this store last saw it.
  struct Anchor {
    Head head;
    std::uint64_t mod_revision = 0;  // 0: there is no head
  };
  using Rows = std::vector<storage::RowChange>;

  control::Awaitable<Result<core::State>> load_once();
  control::Awaitable<Status> load_rows(std::uint64_t etcd_revision, core::Transition& rows);
  control::Awaitable<Result<Anchor>> read_anchor(std::uint64_t* etcd_revision);
  control::Awaitable<Status> replace(Rows rows, core::Revision expected, core::Revision next,
                                     std::optional<control::LeaderTerm> term);
  control::Awaitable<Status> make_ready(core::Revision expected);
  control::Awaitable<Status> find_anchor(core::Revision expected);
  control::Awaitable<Status> check_anchor();
  control::Awaitable<Status> put_chunks(const Staged& staged);
  // Writes a staged change out as rows, so that the next change finds them.
  control::Awaitable<Status> unfold();
  control::Awaitable<Status> move_head(Head head, const Rows& rows,
                                       std::optional<control::LeaderTerm> term);
  // What it means that the comparison failed.
  Status not_moved(const TxnAnswer& answer, Head head, std::optional<control::LeaderTerm> term);
  TxnRequest guarded() const;
  std::string next_writer();

  EtcdClient& client_;
  Layout layout_;
  std::string name_;
  std::uint64_t changes_ = 0;
  std::optional<Anchor> anchor_;
  Loaded loaded_;
};

}  // namespace hikae::etcd
