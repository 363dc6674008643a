#pragma once

#include <memory>
#include <utility>

namespace hikae {

// A value that is copied by reference and never changed. For large values of which a message holds
// hundreds and the next one the same hundreds but for one.
template <class T>
class Shared {
 public:
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  operator const T&() const { return *value_; }

  // Both mean the same value in memory: a quick answer that may be false for equal ones.
  bool is_same(const Shared& other) const { return value_ == other.value_; }
  friend bool operator==(const Shared& a, const Shared& b) {
    return a.is_same(b) || *a.value_ == *b.value_;
  }

 private:
  std::shared_ptr<const T> value_;  // never null
};

}  // namespace hikae
