#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/address.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "core/failover/liveness.h"
#include "core/reconcile/assignment.h"
#include "core/reconcile/observed.h"
#include "core/state/state.h"

// What the control floor needs of the world. Adapters implement these for production, sim/ for the
// simulator. A port is held by reference and never owned. Unless a method says otherwise it is
// called from the one thread of its role, and answers on it.

namespace hikae::control {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

class Clock {
 public:
  virtual Instant now() const = 0;
  virtual Monotonic monotonic() const = 0;
  // For leases: goes on while the machine is suspended. Its points mean nothing to monotonic().
  virtual Monotonic unsuspended() const { return monotonic(); }
  // Returns when `t` is reached or the surrounding operation is cancelled.
  virtual Awaitable<void> sleep_until(Monotonic t) = 0;
  Awaitable<void> sleep_for(Duration d) { return sleep_until(monotonic() + d); }

 protected:
  ~Clock() = default;
};

// One line for the operator: what happened, to which resource, and what to do. Never a secret.
class Log {
 public:
  virtual void info(std::string_view line) = 0;
  virtual void warn(std::string_view line) = 0;
  virtual void error(std::string_view line) = 0;

 protected:
  ~Log() = default;
};

// One period in which a server leads. The number is the store's and grows from leader to leader.
using LeaderTerm = StrongNumber<struct LeaderTermTag>;

// Where the state lives.
class Store {
 public:
  // The whole state as last committed; an empty state at revision 0 when there is none.
  virtual Awaitable<Result<core::State>> load() = 0;
  // Durable when it returns success: the state moves from `expected` to expected.next(), all
  // changes or none. kConflict: the stored revision is not `expected`. kDenied: `term` is given,
  // and over. kTimeout: it may have happened, or still happen; load again. Nothing is changed by
  // any other failure. A store with a single writer has no terms.
  virtual Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                                   std::optional<LeaderTerm> term = std::nullopt) = 0;

 protected:
  ~Store() = default;
};

// What a server commits.
struct Commit {
  core::Transition transition;
  core::Revision revision;  // of the state with it
};

// Tells what others commit to the same store. A store with a single writer has none.
class StateWatch {
 public:
  // Waits for the commit behind the state at revision `seen`, which was loaded or told before.
  // Revisions at most `seen` may come again. nullopt: it cannot be told any more; load the state.
  // kUnavailable: the store does not answer; ask again later.
  virtual Awaitable<Result<std::optional<Commit>>> next(core::Revision seen) = 0;
  // A waiting next() returns soon, with kUnavailable, and so does every later one.
  virtual void stop() = 0;

 protected:
  ~StateWatch() = default;
};

// Chooses one of several servers. At any time the store knows at most one term that is not over; a
// server may believe in its own for a little longer, which is why commits name theirs.
class Leadership {
 public:
  // Waits until this server leads. kUnavailable: the store does not answer; try again later.
  virtual Awaitable<Result<LeaderTerm>> campaign() = 0;
  // Keeps the term for as long as it can, and returns when it is over or may be.
  virtual Awaitable<void> hold() = 0;
  // The term is ours for certain, by this machine's clock. A process that was stopped for a while
  // learns it from this before hold() returns. Once false, it stays false until the next term.
  virtual bool is_certain() const = 0;
  // Ends the term, so that another server need not wait for it to run out.
  virtual Awaitable<void> resign() = 0;
  // A waiting campaign() or hold() returns soon, and so does every later one.
  virtual void stop() = 0;

 protected:
  ~Leadership() = default;
};

// The control plane's end of its agents. Messages may be lost or late, never changed in order for
// one host; both directions carry whole values, so the newest is enough.
class AgentLink {
 public:
  // Never waits; replaces any assignment not yet delivered to that host.
  virtual void assign(core::Assignment assignment) = 0;

 protected:
  ~AgentLink() = default;
};

// The agent's end.
class ReportLink {
 public:
  // Never waits; replaces any report not yet delivered.
  virtual void report(core::HostReport report) = 0;

 protected:
  ~ReportLink() = default;
};

// What a leader grants in answer to one question: its agent may let these primaries take writes for
// so long, counted from when it asked.
struct LeaseGrant {
  Monotonic asked;  // as in the question: the agent's own clock
  Duration length{};
  std::vector<std::pair<core::NodeKey, core::Epoch>> primaries;
};

// The agent's end of that.
class LeaseLink {
 public:
  // Never waits; replaces a question not yet delivered.
  virtual void ask_lease(Monotonic asked) = 0;
  // How long leases are, as the newest server told; zero: it grants none.
  virtual Duration lease_length() const = 0;

 protected:
  ~LeaseLink() = default;
};

// The leases of one host's engines, where their fences read them: memory that both share. A fence
// reads the newest value by itself, also while the engine takes no command of ours.
class FenceLeases {
 public:
  enum class Fence {
    kModule,  // inside the engine (module/fence.c): refuses writes
    kKeeper,  // the process that the engine runs under (module/keeper.c): stops it
  };
  struct Lease {
    core::Epoch epoch{0};  // 0: the engine needs no lease
    Monotonic until;       // on Clock::unsuspended()
  };
  // What the fence needs to be told when the engine is started; made where it is missing, and
  // otherwise with the lease as it was.
  virtual Result<std::string> path(core::NodeKey node) = 0;
  // Which fence the process has that is about to be started. Of a node without a lease: kModule.
  virtual Status set_fence(core::NodeKey node, Fence fence) = 0;
  virtual Fence fence(core::NodeKey node) const = 0;
  virtual Status set(core::NodeKey node, Lease lease) = 0;
  // The newest value, also one that an earlier agent set; nothing of a node that has none.
  virtual std::optional<Lease> get(core::NodeKey node) const = 0;
  virtual void remove(core::NodeKey node) = 0;

 protected:
  ~FenceLeases() = default;
};

// What the agent of a primary says to its replicas through its stream.
class ReplicaPromises {
 public:
  // Tells the replicas at the assignment's `peers` that they are counted on, and have promised not
  // to lead for so long.
  virtual Awaitable<Status> count(core::NodeAssignment assignment, Duration length) = 0;
  // Success: the engine is a primary, and each of the peers follows it and has promised not to lead
  // for so long, counted from when this was called; where the assignment says `kept`, for
  // core::kFollowPromise, by following it after that. kUnavailable: some did not.
  virtual Awaitable<Status> take(core::NodeAssignment assignment, Duration length) = 0;
  // Closes the connections of clients, so that no transaction lives on that was begun before.
  virtual Awaitable<Status> end_transactions(core::NodeAssignment assignment) = 0;

 protected:
  ~ReplicaPromises() = default;
};

// A process to start: everything decided, nothing read from the environment.
struct LaunchSpec {
  core::NodeKey node;
  std::string program;                 // absolute path
  std::string version;                 // of it, `valkey 8.0.2`
  std::vector<std::string> arguments;  // without argv[0]
  // Written to the node's directory before the start, with mode 0600.
  std::map<std::string, std::string> files;
  // Not empty: another version than the one asked for is started; says which and why.
  std::string substitution;
  // What the process sees as /etc/hosts; empty leaves the machine's own.
  std::string hosts_file;
  // The file in the node's directory from which the engine takes its data at the start. It is
  // removed before, unless `keep_data`. Empty: there is none.
  std::string data_file;
  bool keep_data = false;
  // Put in its place before the start: a copy of the file at this path. Empty: none.
  std::string seed;
  // Not empty: the process runs under this program (module/keeper.c), which stops it while the
  // lease in the file `lease` is over. When one of the two ends, so does the other.
  std::string keeper;
  std::string lease;
};

// A process, named so that a recycled pid is never taken for it.
struct Process {
  std::int64_t pid = 0;
  std::uint64_t start_time = 0;  // clock ticks since boot, field 22 of /proc/<pid>/stat
  friend bool operator==(const Process&, const Process&) = default;
};

// A glance at a process, cheap enough to be taken every few milliseconds.
struct ProcessProbe {
  // It was killed, or the kernel is taking it down: no code of it runs any more, though waiting for
  // a processor and freeing its memory may keep its sockets open for seconds.
  bool exiting = false;
  core::ProcessActivity activity;
};

// What to end of a process that the kernel is taking down.
struct SocketReset {
  Process process;
  Ipv4 address;  // its own end
  std::uint16_t port = 0;
  bool connections = false;  // else what it listens with
  std::vector<Ipv4> spared;  // connections to these addresses stay
};

struct FoundNode {
  core::NodeKey node;
  std::optional<Process> process;  // nullopt: a directory without a process
};

// Engine processes of one host, each in a directory of its own. Processes outlive this object and
// the whole program; find_all() meets them again.
class ProcessRunner {
 public:
  // Every node directory of the host and the process that runs in it, also after a crash between
  // the start of a process and any note of it.
  virtual Awaitable<Result<std::vector<FoundNode>>> find_all() = 0;
  // Makes the directory, writes the files, starts the process. kExhausted: disk or process limit.
  virtual Awaitable<Result<Process>> start(LaunchSpec spec) = 0;
  // Returns when the process is gone for certain (also at once when it is gone already).
  virtual Awaitable<void> wait_exit(Process process) = 0;
  // Signals only if pid and start time still name the same process. kNotFound: it is gone.
  virtual Status signal(Process process, int signal_number) = 0;
  // kNotFound: it is gone.
  virtual Result<ProcessProbe> probe(Process process) = 0;
  // Whether it is gone, or the kernel is taking it down. Sees it later than probe() by less than a
  // millisecond, and costs a third.
  virtual bool has_no_memory(Process process) = 0;
  // Lets the process run before all ordinary work of the machine, or no longer. A wish: without
  // permission, and for a process that is gone, nothing happens. What it starts does not inherit
  // it; a process that we leave behind keeps it.
  virtual void prefer(Process process, bool on) = 0;
  // Ends sockets of a dying process at once, which the kernel would close only when all of the
  // process's memory is freed, after 100 ms and more for each gigabyte: what it listens with
  // refuses connections from now on, or its connections are reset, so that clients go elsewhere.
  // Success also when there is nothing left to end. kConflict: the process lives. kDenied or
  // kUnavailable: the machine does not permit it; nothing but time is lost.
  virtual Awaitable<Status> reset_sockets(SocketReset reset) = 0;
  virtual bool socket_resets_supported() const = 0;
  // Replaces the content of the process's private /etc/hosts in one write. kDenied: this machine
  // does not permit mount namespaces, engines see the machine's own file.
  virtual Status update_hosts(core::NodeKey node, std::string content) = 0;
  virtual bool private_hosts_supported() const = 0;
  // A small file in the node's directory, replaced atomically and durably. For what must outlive
  // us.
  virtual Status write_note(core::NodeKey node, std::string name, std::string content) = 0;
  virtual std::optional<std::string> read_note(core::NodeKey node, std::string name) const = 0;
  // Bytes in the files and directories of these names in the node's directory; 0 for those that are
  // not there.
  virtual std::uint64_t stored_bytes(core::NodeKey node, std::vector<std::string> names) const = 0;
  // Removes the node's directory and all in it. The process must be gone.
  virtual Awaitable<Status> remove(core::NodeKey node) = 0;
  // Path of a file in the node's directory, for connecting to sockets.
  virtual std::string path(core::NodeKey node, std::string_view name) const = 0;

 protected:
  ~ProcessRunner() = default;
};

// The addresses that nodes bind, on a host that does not have them by itself.
class Addressing {
 public:
  // Makes the address usable on this host; fine when it is already. kConflict: another machine has
  // it. kInvalid: it is none of the host's own.
  virtual Awaitable<Status> hold(Ipv4 address) = 0;
  // Gives up every address of the host's own but these.
  virtual void keep_only(std::set<Ipv4> wanted) = 0;

 protected:
  ~Addressing() = default;
};

struct EngineStatus {
  bool loading = false;
  int loaded_percent = 0;  // while loading
  core::Role role = core::Role::kPrimary;
  bool link_up = false;  // replica: link to the primary is up, no synchronisation running
  // Replica: it once finished a synchronisation with the primary whose stream it holds a place in.
  bool has_copy = false;
  // Replica: the copy of its full synchronisation is all it got; no command came after it yet.
  bool stream_pending = false;
  std::string following;  // replica: the name or address it follows
  // Names of the stream of changes it is at, and of the one before which that went on from without
  // a full synchronisation; empty when unknown or none.
  std::string stream;
  std::string previous_stream;
  // Replica: where it is in its primary's stream, which moves with everything that it applies.
  std::uint64_t applied = 0;
  std::uint64_t refused_writes = 0;  // because it is a replica, since the process began
  std::uint64_t replication_offset = 0;
  std::uint64_t used_memory = 0;  // bytes; 0 unless the assignment wants it
  bool has_fence = false;
  bool fenced = false;           // takes writes by a lease alone
  bool kept = false;             // its fence is the process that it runs under
  core::Epoch counted_epoch{0};  // replica: in which its primary last counted on it
  bool promised = false;         // replica: it may not lead yet
  std::string version;
};

// How one family of engines is configured and asked. Stateless apart from its connections.
class EngineDriver {
 public:
  // Everything needed to start the node. kNotFound: no installed engine can serve it; says which
  // package to install.
  virtual Result<LaunchSpec> launch_spec(const core::NodeAssignment& assignment) = 0;
  // Grows when the installed programs have changed, so that launch_spec() may answer another one.
  virtual std::uint64_t programs_edition() const { return 0; }
  // Names in the node's directory of what the engine restores its data from when it is started;
  // none when it keeps no data there.
  virtual std::vector<std::string> data_files(const core::NodeAssignment& assignment) const = 0;
  // kTimeout: it did not answer in time, or says that it is busy with a script. kUnavailable: it
  // does not answer (yet), but something did: it refused the connection or closed it.
  virtual Awaitable<Result<EngineStatus>> inspect(core::NodeAssignment assignment) = 0;
  // Makes the engine a replica of the assignment's primary, and connects at once even when it
  // follows the same name already: the name may mean another address now. Keeps its place in the
  // stream, so that the new primary can go on from there (partial resynchronisation).
  virtual Awaitable<Status> follow(core::NodeAssignment assignment) = 0;
  // The same of a primary, whose clients are sent away with it: they wait for a new primary, and
  // have to ask for the name again.
  virtual Awaitable<Status> demote(core::NodeAssignment assignment) = 0;
  // Makes the engine a primary (REPLICAOF NO ONE). Idempotent.
  virtual Awaitable<Status> promote(core::NodeAssignment assignment) = 0;
  // Sets directives that may change while the engine runs.
  virtual Awaitable<Status> apply_directives(core::NodeAssignment assignment,
                                             std::map<std::string, std::string> changed) = 0;
  // Brings the engine's users to the assignment's, all or nothing for each of them, and makes it
  // ask for the AUTH tokens of the assignment, and for no other from now on. Whoever is no longer a
  // user is disconnected; connections that have shown a token stay. Users of our own stay.
  virtual Awaitable<Status> apply_access(core::NodeAssignment assignment) = 0;
  // Holds back writes of clients for at most `bound` (CLIENT PAUSE ... WRITE) and answers the
  // replication offset behind which nothing more comes.
  virtual Awaitable<Result<std::uint64_t>> pause_writes(core::NodeAssignment assignment,
                                                        Duration bound) = 0;
  virtual Awaitable<Status> resume_writes(core::NodeAssignment assignment) = 0;
  // Makes the engine save its data and end, taking no write in between. Success: it is about it,
  // which takes its time. A failure leaves it running.
  virtual Awaitable<Status> save_and_end(core::NodeAssignment assignment) = 0;
  // Closes the connections of ordinary and subscribed clients, so that they ask for the name again.
  virtual Awaitable<Status> drop_clients(core::NodeAssignment assignment) = 0;
  // Forgets any connection to the node. A call under way fails with kUnavailable at once.
  virtual void disconnect(core::NodeKey node) = 0;

 protected:
  ~EngineDriver() = default;
};

}  // namespace hikae::control
