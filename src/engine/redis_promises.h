#pragma once

#include <vector>

#include "control/ports.h"
#include "engine/administrator.h"

namespace hikae::engine {

// Promises of replicas, by the stream of their primary: HIKAE.PROMISE of our module goes to all
// replicas behind every write before it, and a replica that acknowledges what comes after it has
// taken note; replicas without the module promise by following. So no agent needs a way to another
// one. Over connections of its own: the driver's may be held up by a question.
class RedisPromises final : public control::ReplicaPromises {
 public:
  // `runner` and `connector` must outlive it.
  RedisPromises(SecretSource secrets, const control::ProcessRunner& runner,
                AdminConnector& connector);

  control::Awaitable<Status> count(core::NodeAssignment assignment, Duration length) override;
  control::Awaitable<Status> take(core::NodeAssignment assignment, Duration length) override;
  control::Awaitable<Status> end_transactions(core::NodeAssignment assignment) override;

 private:
  struct Answer {
    codec::resp::Value marker;
    bool sent_something = false;  // to the replicas, with the marker or behind it
    bool all_have_it = false;     // each of the peers
  };

  control::Awaitable<Result<Answer>> ask_replicas(core::NodeAssignment assignment, Command marker,
                                                  std::size_t awaited, Duration patience);
  control::Awaitable<Status> take_by_following(core::NodeAssignment assignment);

  Administrator administrator_;
};

// Whether INFO, asked right before the promise and again when the replicas had time to acknowledge
// it, proves that each of the peers has it: it was attached before, has acknowledged `offset`, and
// got everything in between by the stream, because no full synchronisation began meanwhile.
bool all_have_promised(std::string_view before, std::string_view after, std::uint64_t offset,
                       const std::vector<Ipv4>& peers);

}  // namespace hikae::engine
