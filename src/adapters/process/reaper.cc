#include "adapters/process/reaper.h"

#include <cerrno>
#include <chrono>
#include <memory>
#include <sched.h>
#include <sys/wait.h>
#include <utility>

#include <boost/asio/post.hpp>

namespace hikae::adapters {
namespace {

// How long after its engine a keeper may end and still be found at once: a second.
constexpr int kLooks = 20;
constexpr auto kLookPeriod = std::chrono::milliseconds(50);

void be_ordinary_work() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_OTHER, &none);
}

// Fails, as it should, for an engine that an earlier hikae or a keeper started.
void reap_now(int pidfd) {
  constexpr auto kPidfd = idtype_t(3);  // P_PIDFD
  siginfo_t info{};
  ::waitid(kPidfd, id_t(pidfd), &info, WEXITED | WNOHANG);
}

// Or is no child of ours any more.
bool has_ended(pid_t keeper) {
  const pid_t answer = ::waitpid(keeper, nullptr, WNOHANG);
  return answer == keeper || (answer < 0 && errno == ECHILD);
}

}  // namespace

Reaper::~Reaper() {
  boost::asio::post(pool_, [this] {
    closing_ = true;
    timer_.cancel();
  });
  pool_.join();
}

void Reaper::reap(Descriptor pidfd) {
  const auto ended = std::make_shared<Descriptor>(std::move(pidfd));
  boost::asio::post(pool_, [this, ended] {
    be_ordinary_work();
    reap_now(ended->get());
    look_for_a_while();
  });
}

void Reaper::add_keeper(pid_t keeper) {
  boost::asio::post(pool_, [this, keeper] {
    be_ordinary_work();
    keepers_.insert(keeper);
    look_for_a_while();
  });
}

void Reaper::reap_keepers() {
  boost::asio::post(pool_, [this] { look_for_a_while(); });
}

void Reaper::look_for_a_while() {
  looks_left_ = kLooks;
  look();
}

void Reaper::look() {
  std::erase_if(keepers_, has_ended);
  if (keepers_.empty() || looks_left_ == 0 || closing_) {
    return;
  }
  --looks_left_;
  timer_.expires_after(kLookPeriod);  // and ends the wait that another look began
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      look();
    }
  });
}

}  // namespace hikae::adapters
