#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace hikae::sim {

// All data that ever was, as a tree of writes: an engine's data is a place in it, a replica is in
// sync when it stands where its primary does, and copies that went apart are on two branches.
class History {
 public:
  using Place = std::uint32_t;
  static constexpr Place kEmpty = 0;

  History() : entries_(1) {}

  Place append(Place after, std::uint64_t number, std::uint64_t bytes, Monotonic now) {
    entries_.push_back({after, number, entries_[after].offset + bytes, now});
    return Place(entries_.size() - 1);
  }
  std::uint64_t offset(Place place) const { return entries_[place].offset; }
  std::uint64_t number(Place place) const { return entries_[place].number; }
  Place before(Place place) const { return entries_[place].before; }
  // On the way to `place`, where it was at that time.
  Place at(Place place, Monotonic time) const {
    while (place != kEmpty && entries_[place].written > time) {
      place = entries_[place].before;
    }
    return place;
  }

  // `place` was passed on the way to `later`, or is the same.
  bool leads_to(Place place, Place later) const {
    while (later != place && later > place) {
      later = entries_[later].before;
    }
    return later == place;
  }

 private:
  struct Entry {
    Place before = kEmpty;
    std::uint64_t number = 0;
    std::uint64_t offset = 0;
    Monotonic written;
  };
  std::vector<Entry> entries_;  // an entry is younger than the one before it
};

}  // namespace hikae::sim
