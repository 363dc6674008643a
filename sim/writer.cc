#include "sim/writer.h"

#include <utility>

#include "core/naming/names.h"

namespace hikae::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint16_t kPort = 6379;
constexpr Duration kTimeout = milliseconds(400);
constexpr Duration kHeldBack = milliseconds(1);
constexpr Duration kConfirmPoll = microseconds(500);
constexpr Duration kPause = milliseconds(20);  // after an error

}  // namespace

Writer::Writer(Env env, Fleet& fleet, const SimZone& zone, const SimStore& store, Checker& checker,
               core::ReplicationGroupId group)
    : env_(env),
      fleet_(fleet),
      zone_(zone),
      store_(store),
      checker_(checker),
      group_(std::move(group)) {}

void Writer::later(Duration after) {
  env_.timeline.call(after, [this] { turn(); });
}

void Writer::turn() {
  if (connected_ == 0 && !connect()) {
    later(kPause);
    return;
  }
  const std::uint64_t number = ++last_number_;
  waits_for_ = number;
  const Duration way = env_.draw(microseconds(20), microseconds(300));
  env_.timeline.call(way, [this, pid = connected_, number] { arrive(pid, number); });
  env_.timeline.call(kTimeout, [this, number] { give_up(number); });
}

bool Writer::connect() {
  const auto* group = store_.state().find<core::ReplicationGroup>(group_);
  if (group == nullptr || group->node_groups.empty() || group->status == "deleting") {
    return false;
  }
  const auto address = zone_.resolve(
      core::primary_endpoint(store_.state().region(), group_, group->node_groups.front().id));
  const Engine* engine = address ? fleet_.find_listening(*address, kPort) : nullptr;
  if (engine == nullptr || engine->dying) {
    return false;
  }
  connected_ = engine->pid;
  connection_ = engine->clients;
  env_.trace.line("writer", "{} connects to {}", group_.str(), engine->node.str());
  return true;
}

void Writer::arrive(Pid pid, std::uint64_t number) {
  Engine* engine = fleet_.find(pid);
  if (engine == nullptr) {
    disconnect("connection reset");
    return;
  }
  if (engine->dying) {
    return;  // the socket is still open: no answer
  }
  if (engine->pace != Engine::Pace::kNormal) {
    engine->unread.push_back(number);
    return;
  }
  if (engine->clients != connection_) {
    disconnect("sent away");
    return;
  }
  if (engine->writes_paused && engine->role == core::Role::kPrimary) {
    if (waits_for_ == number) {
      env_.timeline.call(kHeldBack, [this, pid, number] { arrive(pid, number); });
    }
    return;
  }
  if (!engine->writable(env_.timeline.now())) {
    disconnect(engine->loading ? "LOADING" : "READONLY");
    return;
  }
  const History::Place place = fleet_.write(*engine, number);
  wait(pid, number, place, replicas_to_wait_for());
}

int Writer::replicas_to_wait_for() const {
  const auto* group = store_.state().find<core::ReplicationGroup>(group_);
  const int replicas = group == nullptr ? 0 : int(group->node_groups.front().members.size()) - 1;
  return replicas < env_.options.confirmations ? 0 : env_.options.confirmations;
}

void Writer::wait(Pid pid, std::uint64_t number, History::Place place, int replicas) {
  const Engine* engine = fleet_.find(pid);
  if (waits_for_ != number || engine == nullptr || engine->dying) {
    return;
  }
  if (engine->role != core::Role::kPrimary) {
    disconnect("UNBLOCKED");
    return;
  }
  if (replicas > 0 && (!engine->runs() || fleet_.confirmed_by(*engine, place) < replicas)) {
    env_.timeline.call(
        kConfirmPoll, [this, pid, number, place, replicas] { wait(pid, number, place, replicas); });
    return;
  }
  const Duration way = env_.draw(microseconds(20), microseconds(300));
  env_.timeline.call(way,
                     [this, number, place, replicas] { answered(number, place, replicas > 0); });
}

void Writer::answered(std::uint64_t number, History::Place place, bool confirmed) {
  if (waits_for_ != number) {
    return;
  }
  waits_for_ = 0;
  last_acknowledged_ = env_.timeline.now();
  checker_.on_acknowledged(group_, number, place, confirmed);
  const Duration pause = env_.draw(microseconds(100), env_.options.write_interval);
  later(pause);
}

void Writer::give_up(std::uint64_t number) {
  if (waits_for_ == number) {
    disconnect("no answer");
  }
}

void Writer::disconnect(const char* why) {
  if (waits_for_ == 0) {
    return;
  }
  env_.trace.line("writer", "{} write {}: {}", group_.str(), waits_for_, why);
  waits_for_ = 0;
  connected_ = 0;
  later(kPause);
}

}  // namespace hikae::sim
