#include "sim/fleet.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace hikae::sim {
namespace {

using core::Role;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRetryHalted = milliseconds(20);
constexpr unsigned kFullDiskPercent = 5;

}  // namespace

Pid Fleet::start(Launch launch) {
  const Pid pid = ++last_pid_;
  Engine& engine = engines_[pid];
  engine.pid = pid;
  engine.start_time = std::uint64_t(env_.timeline.now().microseconds()) / 10'000;
  engine.host = launch.host;
  engine.node = launch.node;
  engine.group = launch.group;
  engine.address = launch.address;
  engine.port = launch.port;
  engine.hosts_file = std::move(launch.hosts_file);
  engine.role = launch.role;
  engine.target = std::move(launch.target);
  engine.target_port = launch.target_port;
  engine.data = launch.data;
  engine.kept = launch.kept;
  set_lease(engine, launch.lease_epoch, launch.lease_until);
  engine.stream = engine.role == Role::kPrimary ? ++last_stream_ : 0;
  of_node_[engine.node].insert(pid);
  at_address_[engine.address].insert(pid);
  const Duration start_up = env_.draw(milliseconds(1), milliseconds(25));
  env_.timeline.call(start_up, [this, pid] {
    Engine* started = find(pid);
    if (started == nullptr || started->dying) {
      return;
    }
    started->listening = true;
    if (started->role == Role::kReplica) {
      connect_later(*started, microseconds(200));
    }
  });
  env_.trace.line("fleet", "process {} of {} starts as {}", pid, engine.node.str(),
                  engine.role == Role::kPrimary ? "primary" : "replica of " + engine.target);
  return pid;
}

Engine* Fleet::find(Pid pid) {
  const auto it = engines_.find(pid);
  return it == engines_.end() ? nullptr : &it->second;
}

Engine* Fleet::find_listening(Ipv4 address, std::uint16_t port) {
  const auto there = at_address_.find(address);
  if (there != at_address_.end()) {
    for (const Pid pid : there->second) {
      Engine& engine = engines_.at(pid);
      if (engine.listening && engine.port == port) {
        return &engine;
      }
    }
  }
  return nullptr;
}

Engine* Fleet::find_node(const core::NodeKey& node) {
  const auto known = of_node_.find(node);
  return known == of_node_.end() ? nullptr : &engines_.at(*known->second.rbegin());
}

void Fleet::kill(Pid pid) {
  Engine* engine = find(pid);
  if (engine == nullptr || engine->dying) {
    return;
  }
  if (observer_ != nullptr) {
    observer_->on_death(*engine);
  }
  die(*engine);
}

void Fleet::end_saved(Pid pid) {
  Engine* engine = find(pid);
  if (engine != nullptr && !engine->dying) {
    die(*engine);
  }
}

void Fleet::die(Engine& engine) {
  engine.dying = true;
  engine.unread.clear();
  const Duration dying = env_.draw(microseconds(100), env_.options.longest_dying);
  env_.trace.line("fleet", "process {} of {} dies, its sockets close in {} us", engine.pid,
                  engine.node.str(), dying.count());
  env_.timeline.call(dying, [this, pid = engine.pid] { close(pid); });
}

void Fleet::terminate(Pid pid) {
  Engine* engine = find(pid);
  if (engine == nullptr || engine->dying) {
    return;
  }
  if (engine->pace == Engine::Pace::kNormal) {
    kill(pid);
  } else {
    engine->terminating = true;
  }
}

void Fleet::close(Pid pid) {
  Engine* engine = find(pid);
  if (engine == nullptr) {
    return;
  }
  drop_downstream(*engine, false);
  drop_link(*engine);
  const auto waiters = std::move(engine->exit_waiters);
  const auto forget = [pid](auto& index, const auto& key) {
    const auto known = index.find(key);
    known->second.erase(pid);
    if (known->second.empty()) {
      index.erase(known);
    }
  };
  forget(of_node_, engine->node);
  forget(at_address_, engine->address);
  engines_.erase(pid);
  env_.trace.line("fleet", "process {} is gone", pid);
  for (const Timeline::Id id : waiters) {
    env_.timeline.wake(id);
  }
}

void Fleet::lose_host(const core::HostId& host) {
  std::vector<Pid> lost;
  for (const auto& [pid, engine] : engines_) {
    if (engine.host == host) {
      lost.push_back(pid);
    }
  }
  for (const Pid pid : lost) {
    Engine* engine = find(pid);
    drop_downstream(*engine, true);
    if (!std::exchange(engine->dying, true) && observer_ != nullptr) {
      observer_->on_death(*engine);
    }
    close(pid);
  }
}

void Fleet::set_lease(Engine& engine, core::Epoch epoch, Monotonic until) {
  engine.lease_epoch = epoch;
  engine.lease_until = until;
  if (engine.kept) {
    watch_lease(engine);
  }
}

// What the keeper does.
void Fleet::watch_lease(Engine& engine) {
  const Monotonic now = env_.timeline.now();
  const bool open = engine.fence_is_open(now);
  const bool was_halted = std::exchange(engine.halted, !open);
  if (was_halted == open) {
    env_.trace.line("fleet", "the keeper {} {}", open ? "lets go" : "stops", engine.pid);
  }
  if (was_halted && engine.runs()) {
    resume(engine);
  }
  if (open && engine.lease_epoch != core::Epoch(0)) {
    env_.timeline.call(engine.lease_until - now, [this, pid = engine.pid] {
      if (Engine* kept = find(pid)) {
        watch_lease(*kept);
      }
    });
  }
}

void Fleet::set_pace(Pid pid, Engine::Pace pace) {
  Engine* engine = find(pid);
  if (engine == nullptr || engine->dying || engine->pace == pace) {
    return;
  }
  engine->pace = pace;
  if (engine->runs()) {
    resume(*engine);
  }
}

void Fleet::resume(Engine& engine) {
  if (engine.terminating) {
    kill(engine.pid);
    return;
  }
  if (engine.arrived) {
    advance(engine, *std::exchange(engine.arrived, std::nullopt));
  }
  const auto unread = std::exchange(engine.unread, {});
  for (const std::uint64_t number : unread) {
    if (engine.writable(env_.timeline.now())) {
      write(engine, number);  // nobody waits for the answer any more
    }
  }
}

void Fleet::follow(Engine& engine, std::string target, std::uint16_t port) {
  // What a former primary holds is a copy that a partial resynchronisation may continue.
  engine.has_copy = engine.has_copy || engine.role == Role::kPrimary;
  engine.role = Role::kReplica;
  engine.target = std::move(target);
  engine.target_port = port;
  drop_downstream(engine, true);
  drop_link(engine);
  connect_later(engine, microseconds(200));
}

void Fleet::pause_writes(Engine& engine, Duration bound) {
  engine.writes_paused = true;
  env_.timeline.call(bound, [this, pid = engine.pid, pause = ++engine.pauses] {
    Engine* paused = find(pid);
    if (paused != nullptr && paused->pauses == pause) {
      paused->writes_paused = false;
    }
  });
}

bool Fleet::save(Engine& engine) {
  if (engine.saving || engine.loading) {
    return false;
  }
  engine.saving = true;
  engine.saved.reset();
  const Duration time = env_.draw(milliseconds(5), milliseconds(800));
  env_.timeline.call(time,
                     [this, pid = engine.pid, data = engine.data] { finish_saving(pid, data); });
  return true;
}

// A child process does it; the engine learns of its end when it runs.
void Fleet::finish_saving(Pid pid, History::Place data) {
  Engine* engine = find(pid);
  if (engine == nullptr || engine->dying) {
    return;
  }
  if (!engine->runs()) {
    env_.timeline.call(kRetryHalted, [this, pid, data] { finish_saving(pid, data); });
    return;
  }
  engine->saving = false;
  const bool full = env_.random.percent(kFullDiskPercent);
  engine->saved = full ? std::nullopt : std::optional(data);
}

void Fleet::promote(Engine& engine) {
  if (engine.role == Role::kPrimary) {
    return;
  }
  engine.role = Role::kPrimary;
  engine.target.clear();
  engine.previous_stream = std::exchange(engine.stream, ++last_stream_);
  drop_link(engine);
  drop_downstream(engine, true);
}

int Fleet::confirmed_by(const Engine& engine, History::Place place) const {
  return int(std::count_if(engine.downstream.begin(), engine.downstream.end(), [&](Pid pid) {
    const auto replica = engines_.find(pid);
    return replica != engines_.end() && replica->second.link_up && replica->second.runs() &&
           passes(replica->second, engine) && history_.leads_to(place, replica->second.data);
  }));
}

History::Place Fleet::write(Engine& engine, std::uint64_t number) {
  const std::uint64_t bytes = 40 + env_.random.below(100);
  advance(engine, history_.append(engine.data, number, bytes, env_.timeline.now()));
  return engine.data;
}

void Fleet::advance(Engine& engine, History::Place place) {
  engine.data = place;
  for (const Pid pid : engine.downstream) {
    send(engine, *find(pid));
  }
}

std::optional<Ipv4> Fleet::resolve(const Engine& engine) const {
  if (const auto literal = Ipv4::parse(engine.target)) {
    return literal;
  }
  for (const std::string& line : split(engine.hosts_file, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[1] == engine.target) {
      return Ipv4::parse(words[0]);
    }
  }
  return std::nullopt;
}

Engine* Fleet::on_link(Pid pid, std::uint64_t link) {
  Engine* engine = find(pid);
  return engine == nullptr || engine->dying || engine->link != link ? nullptr : engine;
}

void Fleet::connect_later(Engine& engine, Duration after) {
  const std::uint64_t link = ++engine.link;
  env_.timeline.call(after, [this, pid = engine.pid, link] { connect(pid, link); });
}

void Fleet::connect(Pid pid, std::uint64_t link) {
  Engine* replica = on_link(pid, link);
  if (replica == nullptr || replica->role != Role::kReplica) {
    return;
  }
  const auto address = resolve(*replica);
  Engine* upstream = address ? find_listening(*address, replica->target_port) : nullptr;
  if (!replica->runs() || replica->loading || upstream == nullptr || upstream == replica ||
      are_apart(*replica, *upstream)) {
    const Duration pause = env_.draw(milliseconds(20), seconds(1));
    connect_later(*replica, pause);
    return;
  }
  const Duration handshake_time = env_.draw(microseconds(200), milliseconds(3));
  env_.timeline.call(handshake_time,
                     [this, pid, link, up = upstream->pid] { handshake(pid, link, up); });
}

void Fleet::handshake(Pid pid, std::uint64_t link, Pid upstream_pid) {
  Engine* replica = on_link(pid, link);
  if (replica == nullptr) {
    return;
  }
  Engine* upstream = find(upstream_pid);
  // The replication password is the group's: an address that another group got meanwhile refuses.
  const bool serves = upstream != nullptr && upstream->runs() && !upstream->loading &&
                      upstream->group == replica->group && !are_apart(*replica, *upstream) &&
                      (upstream->role == Role::kPrimary || upstream->link_up);
  if (!serves || !replica->runs()) {
    const Duration pause = env_.draw(milliseconds(20), seconds(1));
    connect_later(*replica, pause);
    return;
  }
  replica->upstream = upstream_pid;
  upstream->downstream.insert(pid);
  const bool continues = replica->has_copy && history_.leads_to(replica->data, upstream->data) &&
                         history_.offset(upstream->data) - history_.offset(replica->data) <=
                             env_.options.backlog_bytes;
  if (continues) {
    env_.trace.line("fleet", "{} follows {} by partial resynchronisation", replica->node.str(),
                    upstream->node.str());
    if (replica->stream != upstream->stream) {
      replica->previous_stream = replica->stream;
    }
    set_link_up(*replica, *upstream);
  } else {
    begin_full_resync(*replica, *upstream);
  }
}

// The place in the old stream is given up at once, the data when the whole copy is there, in a
// file. Who has none loads the copy as it comes (repl-diskless-load on-empty-db).
void Fleet::begin_full_resync(Engine& replica, Engine& upstream) {
  replica.has_copy = false;
  replica.previous_stream = 0;
  const Duration length = env_.draw(milliseconds(2), env_.options.full_resync);
  env_.trace.line("fleet", "{} begins a full resynchronisation from {}, {} us", replica.node.str(),
                  upstream.node.str(), length.count());
  replica.loading = replica.data == History::kEmpty;
  const Duration loading = replica.loading ? Duration() : length / 3;
  const Copy copy{upstream.pid, replica.link, upstream.data, upstream.stream, loading};
  env_.timeline.call(length - loading, [this, pid = replica.pid, copy] { take_over(pid, copy); });
}

Engine* Fleet::source_of(const Copy& copy, Engine& replica) {
  Engine* upstream = find(copy.upstream);
  if (upstream != nullptr && !upstream->dying) {
    return upstream;
  }
  drop_link(replica);
  connect_later(replica, milliseconds(100));
  return nullptr;
}

void Fleet::take_over(Pid pid, const Copy& copy) {
  Engine* replica = on_link(pid, copy.link);
  if (replica == nullptr) {
    return;
  }
  const Engine* upstream = source_of(copy, *replica);
  if (upstream == nullptr) {
    return;
  }
  if (!replica->runs() || !upstream->runs()) {
    env_.timeline.call(kRetryHalted, [this, pid, copy] { take_over(pid, copy); });
    return;
  }
  if (observer_ != nullptr) {
    observer_->on_full_resync(*replica, *upstream, copy.data);
  }
  replica->loading = true;
  replica->has_copy = true;
  replica->data = copy.data;
  replica->stream = copy.stream;
  env_.timeline.call(copy.loading, [this, pid, copy] { finish_loading(pid, copy); });
}

// Whether the primary is still there or not.
void Fleet::finish_loading(Pid pid, const Copy& copy) {
  Engine* replica = find(pid);
  if (replica == nullptr || replica->dying) {
    return;
  }
  if (!replica->runs()) {
    env_.timeline.call(kRetryHalted, [this, pid, copy] { finish_loading(pid, copy); });
    return;
  }
  replica->loading = false;
  if (replica->link != copy.link) {
    return;  // the link was lost meanwhile
  }
  Engine* upstream = source_of(copy, *replica);
  if (upstream == nullptr) {
    return;
  }
  replica->nothing_streamed = true;
  replica->stream_pending = env_.random.percent(50);
  set_link_up(*replica, *upstream);
  if (replica->stream_pending) {
    const Duration after = env_.draw(milliseconds(1), seconds(1));
    env_.timeline.call(after, [this, pid, link = copy.link] { begin_stream(pid, link); });
  }
}

void Fleet::begin_stream(Pid pid, std::uint64_t link) {
  Engine* replica = on_link(pid, link);
  if (replica == nullptr) {
    return;
  }
  replica->stream_pending = false;
  Engine* upstream = find(replica->upstream);
  if (upstream != nullptr && !upstream->dying && replica->data != upstream->data) {
    send(*upstream, *replica);
  }
}

void Fleet::set_link_up(Engine& replica, Engine& upstream) {
  replica.link_up = true;
  replica.has_copy = true;
  replica.stream = upstream.stream;
  replica.last_arrival = env_.timeline.now();
  if (replica.data != upstream.data) {
    send(upstream, replica);
  }
}

void Fleet::send(Engine& upstream, Engine& replica) {
  if (!replica.link_up || replica.stream_pending) {
    return;  // still in its full synchronisation, or right behind it
  }
  const Duration lag = env_.draw(microseconds(10), env_.options.replication_lag);
  replica.last_arrival = std::max(replica.last_arrival, env_.timeline.now() + lag);
  env_.timeline.call(replica.last_arrival - env_.timeline.now(),
                     [this, pid = replica.pid, link = replica.link, place = upstream.data] {
                       arrive(pid, link, place);
                     });
}

void Fleet::arrive(Pid pid, std::uint64_t link, History::Place place) {
  Engine* replica = on_link(pid, link);
  if (replica == nullptr) {
    return;
  }
  replica->nothing_streamed = false;
  if (replica->runs()) {
    advance(*replica, place);
  } else {
    replica->arrived = place;
  }
}

void Fleet::promise(Engine& primary, core::Epoch epoch, Duration length,
                    const std::vector<Ipv4>& peers, Acknowledged acknowledged) {
  for (const Pid pid : primary.downstream) {
    Engine& replica = *find(pid);
    if (!replica.link_up || replica.stream_pending ||
        std::find(peers.begin(), peers.end(), replica.address) == peers.end()) {
      continue;
    }
    const Duration lag = env_.draw(microseconds(10), env_.options.replication_lag);
    const Duration back = env_.draw(microseconds(10), env_.options.replication_lag);
    replica.last_arrival = std::max(replica.last_arrival, env_.timeline.now() + lag);
    const auto arrives = [this, pid, link = replica.link, epoch, length, back, acknowledged] {
      Engine* hears = on_link(pid, link);
      if (hears == nullptr || !hears->runs()) {
        return;
      }
      ++hears->acknowledged;
      if (!hears->kept) {
        hears->counted_epoch = epoch;
      }
      if (length > Duration() && !hears->kept) {
        // Its own clock may be faster; the one per cent makes up for that.
        const Duration shortest =
            (length + length / 100) * 1000 / (1000 + env_.options.drift_permille);
        hears->promised_until = std::max(hears->promised_until, env_.timeline.now() + shortest);
      }
      env_.timeline.call(back, [this, pid, link, acknowledged] {
        const Engine* answers = on_link(pid, link);
        const Engine* asked = answers == nullptr ? nullptr : find(answers->upstream);
        if (asked != nullptr && passes(*answers, *asked)) {
          acknowledged->insert(answers->address);
        }
      });
    };
    env_.timeline.call(replica.last_arrival - env_.timeline.now(), arrives);
  }
}

void Fleet::cut(const core::HostId& host, Way way, Monotonic until) {
  if (way != Way::kOut) {
    deaf_until_[host] = std::max(deaf_until_[host], until);
  }
  if (way != Way::kIn) {
    mute_until_[host] = std::max(mute_until_[host], until);
  }
  for (auto& [pid, engine] : engines_) {
    const Engine* upstream = find(engine.upstream);
    if (upstream != nullptr && !passes(*upstream, engine)) {
      drop_link(engine);
      const Duration pause = env_.draw(milliseconds(1), seconds(1));
      connect_later(engine, pause);
    }
  }
}

bool Fleet::passes(const Engine& from, const Engine& to) const {
  const auto is_cut = [&](const auto& until, const Engine& one) {
    const auto known = until.find(one.host);
    return known != until.end() && env_.timeline.now() < known->second;
  };
  return from.host == to.host || (!is_cut(mute_until_, from) && !is_cut(deaf_until_, to));
}

bool Fleet::are_apart(const Engine& a, const Engine& b) const {
  return !passes(a, b) || !passes(b, a);
}

void Fleet::drop_link(Engine& replica) {
  if (Engine* upstream = find(replica.upstream)) {
    upstream->downstream.erase(replica.pid);
  }
  replica.upstream = 0;
  replica.link_up = false;
  replica.stream_pending = false;
  replica.loading = replica.loading && replica.has_copy;  // from a file
  replica.arrived.reset();
  ++replica.link;
}

// A replica sees the end of its link behind all that was sent before it.
void Fleet::drop_downstream(Engine& upstream, bool in_flight_too) {
  const auto followers = std::exchange(upstream.downstream, {});
  for (const Pid pid : followers) {
    Engine* replica = find(pid);
    if (in_flight_too) {
      drop_link(*replica);
      const Duration pause = env_.draw(milliseconds(1), seconds(1));
      connect_later(*replica, pause);
      continue;
    }
    replica->upstream = 0;
    const Duration after =
        std::max(Duration(), replica->last_arrival - env_.timeline.now()) + microseconds(500);
    env_.timeline.call(after, [this, pid, link = replica->link] {
      if (Engine* left = on_link(pid, link)) {
        drop_link(*left);
        const Duration pause = env_.draw(milliseconds(1), seconds(1));
        connect_later(*left, pause);
      }
    });
  }
}

}  // namespace hikae::sim
