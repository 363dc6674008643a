#include "control/assignment_book.h"

#include <boost/asio/post.hpp>

#include "core/reconcile/assignments.h"

namespace hikae::control {
namespace {

constexpr std::size_t kMaxInterned = 1024;

}  // namespace

AssignmentBook::AssignmentBook(boost::asio::any_io_executor executor, const core::State& state,
                               const core::Observed& observed, AgentLink& link)
    : executor_(std::move(executor)), state_(state), observed_(observed), link_(link) {}

void AssignmentBook::refresh(const std::set<Unit>& units) {
  for (const Unit& unit : units) {
    refresh_unit(unit);
  }
  if (!changed_.empty()) {
    flush_later();
  }
}

void AssignmentBook::refresh_all() {
  for (const auto& [id, host] : state_.all<core::Host>()) {
    changed_.insert(id);
  }
  refresh(all_units(state_));
  flush_later();
}

void AssignmentBook::refresh_unit(const Unit& unit) {
  auto& before = placed_[unit];
  std::set<std::pair<core::HostId, core::NodeKey>> now;
  for (const core::CacheCluster* cluster : clusters_of(state_, unit)) {
    for (const core::Node& node : cluster->nodes) {
      auto wanted = core::node_assignment(state_, observed_, *cluster, node);
      if (!wanted) {
        continue;
      }
      wanted->directives = intern(wanted->directives);
      auto& slot = hosts_[node.host];
      const auto known = slot.find(wanted->node);
      if (known == slot.end() || !(known->second == *wanted)) {
        slot.insert_or_assign(wanted->node, *wanted);
        changed_.insert(node.host);
      }
      now.emplace(node.host, wanted->node);
    }
  }
  for (const auto& [host, key] : before) {
    if (!now.contains({host, key})) {
      hosts_[host].erase(key);
      changed_.insert(host);
    }
  }
  if (now.empty()) {
    placed_.erase(unit);
  } else {
    before = std::move(now);
  }
}

SharedMap AssignmentBook::intern(const SharedMap& directives) {
  if (interned_.size() > kMaxInterned) {
    interned_.clear();  // parameter groups change; what is in use is interned again
  }
  return interned_.try_emplace(directives.get(), directives).first->second;
}

void AssignmentBook::flush_later() {
  if (flushing_) {
    return;
  }
  flushing_ = true;
  boost::asio::post(executor_, [this] { flush(); });
}

void AssignmentBook::flush() {
  flushing_ = false;
  for (const core::HostId& host : changed_) {
    core::Assignment assignment;
    assignment.host = host;
    assignment.revision = state_.revision();
    for (const auto& [key, node] : hosts_[host]) {
      assignment.nodes.push_back(node);
    }
    link_.assign(std::move(assignment));
  }
  changed_.clear();
}

}  // namespace hikae::control
