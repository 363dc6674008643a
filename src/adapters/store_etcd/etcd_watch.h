#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/store_etcd/etcd_client.h"
#include "adapters/store_etcd/etcd_store.h"
#include "control/ports.h"

namespace hikae::etcd {

// Tells the commits of all servers, from a watch on the keys below `<prefix>/state/`. All that one
// commit changed has the same revision in etcd and comes in one message, with the head among it;
// rows without the head are a staged change being unfolded, which was told before.
//
// It begins behind the store's newest load(), and goes on behind what it has told when a connection
// breaks, with the next member. A member that is silent for long may be cut off from the others,
// so the next one is asked from the same place then.
class EtcdWatch final : public control::StateWatch {
 public:
  EtcdWatch(EtcdClient& client, EtcdStore& store);

  control::Awaitable<Result<std::optional<control::Commit>>> next(core::Revision seen) override;
  void stop() override;

 private:
  // What one revision of etcd's store changed.
  struct Step {
    std::uint64_t etcd_revision = 0;
    std::optional<Head> head;
    std::vector<storage::RowChange> rows;
  };

  control::Awaitable<Status> open();
  // Waits for one message and takes its steps. kConflict: what should come next is compacted.
  control::Awaitable<Status> receive();
  Result<std::vector<Step>> steps_of(const WatchAnswer& answer) const;
  control::Awaitable<Status> take(Step step);
  void disconnect();

  EtcdClient& client_;
  EtcdStore& store_;
  Layout layout_;
  std::unique_ptr<EtcdWatchStream> stream_;
  std::size_t member_ = 0;
  std::uint64_t position_ = 0;  // the next revision of etcd's store; 0: behind the newest load()
  std::deque<control::Commit> ready_;
  bool stopped_ = false;
};

}  // namespace hikae::etcd
