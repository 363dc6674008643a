#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace hikae {

// A string that names one kind of thing. Ids of different kinds never mix by accident.
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}
  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend bool operator==(const StrongId&, const StrongId&) = default;

 private:
  std::string value_;
};

// A counter that names one kind of thing (epoch, revision).
template <class Tag>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr StrongNumber next() const { return StrongNumber(value_ + 1); }
  friend constexpr auto operator<=>(const StrongNumber&, const StrongNumber&) = default;
  friend constexpr bool operator==(const StrongNumber&, const StrongNumber&) = default;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace hikae

template <class Tag>
struct std::hash<hikae::StrongId<Tag>> {
  std::size_t operator()(const hikae::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
