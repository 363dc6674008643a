#include "control/start_gate.h"

#include <algorithm>
#include <utility>

namespace hikae::control {

bool StartGate::Place::enter(bool urgent) {
  if (where_ == Where::kOutside && gate_.admits(urgent)) {
    --gate_.free_;
    where_ = Where::kInside;
  }
  if (where_ == Where::kOutside) {
    where_ = Where::kInLine;
    urgent_ = urgent;
    const auto first_that_can_wait = std::find_if(
        gate_.line_.begin(), gate_.line_.end(), [](const Place* place) { return !place->urgent_; });
    gate_.line_.insert(urgent ? first_that_can_wait : gate_.line_.end(), this);
  }
  return where_ == Where::kInside;
}

void StartGate::Place::leave() {
  const Where before = std::exchange(where_, Where::kOutside);
  if (before == Where::kInLine) {
    std::erase(gate_.line_, this);
  }
  if (before == Where::kInside) {
    ++gate_.free_;
    gate_.admit();
  }
}

void StartGate::Quiet::set(bool on) {
  if (on == std::exchange(on_, on)) {
    return;
  }
  gate_.quiet_ += on ? 1 : -1;
  gate_.admit();
}

void StartGate::admit() {
  while (!line_.empty() && admits(line_.front()->urgent_)) {
    Place* const first = line_.front();
    line_.pop_front();
    --free_;
    first->where_ = Place::Where::kInside;
    first->entered_();
  }
}

}  // namespace hikae::control
