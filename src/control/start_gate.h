#pragma once

#include <deque>
#include <functional>

namespace hikae::control {

// Lets only so many processes of one machine be in the middle of their start. Each takes processor
// time from engines that serve, and when a whole zone comes back, from failovers too.
//
// One thread. Everybody who may start has a Place of their own, which must end before the gate.
class StartGate {
 public:
  class Place {
   public:
    // `entered` is called when a place that was asked for has become free.
    Place(StartGate& gate, std::function<void()> entered)
        : gate_(gate), entered_(std::move(entered)) {}
    ~Place() { leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // True: inside, and may start; also when it was inside before. False: stands in the line, where
    // `urgent` ones come before all others.
    bool enter(bool urgent);
    // Neither inside nor in the line from now on.
    void leave();

   private:
    friend class StartGate;
    enum class Where { kOutside, kInLine, kInside };
    StartGate& gate_;
    std::function<void()> entered_;
    Where where_ = Where::kOutside;
    bool urgent_ = false;
  };

  explicit StartGate(int places) : free_(places) {}

 private:
  void admit();

  int free_;
  std::deque<Place*> line_;
};

}  // namespace hikae::control
