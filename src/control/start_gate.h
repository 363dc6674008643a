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

  // While one of these is on, only urgent ones enter: somebody works against the clock. Must end
  // before the gate.
  class Quiet {
   public:
    explicit Quiet(StartGate& gate) : gate_(gate) {}
    ~Quiet() { set(false); }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    void set(bool on);

   private:
    StartGate& gate_;
    bool on_ = false;
  };

  explicit StartGate(int places) : free_(places) {}
  bool is_quiet() const { return quiet_ > 0; }

 private:
  bool admits(bool urgent) const { return free_ > 0 && (urgent || quiet_ == 0); }
  void admit();

  int free_;
  int quiet_ = 0;
  std::deque<Place*> line_;
};

}  // namespace hikae::control
