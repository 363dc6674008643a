#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikae {

// An IPv4 address, host byte order.
class Ipv4 {
 public:
  constexpr Ipv4() = default;
  constexpr explicit Ipv4(std::uint32_t bits) : bits_(bits) {}
  static std::optional<Ipv4> parse(std::string_view text);  // strict dotted quad
  std::string str() const;
  constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr auto operator<=>(const Ipv4&, const Ipv4&) = default;
  friend constexpr bool operator==(const Ipv4&, const Ipv4&) = default;

 private:
  std::uint32_t bits_ = 0;
};

// A network `a.b.c.d/len`.
struct Cidr {
  Ipv4 base;
  int prefix_length = 0;

  // Strict: length 0..32. Bits behind the prefix are cleared, as EC2 does.
  static std::optional<Cidr> parse(std::string_view text);
  std::string str() const;
  std::uint64_t size() const { return std::uint64_t(1) << (32 - prefix_length); }
  Ipv4 at(std::uint64_t offset) const { return Ipv4(base.bits() + std::uint32_t(offset)); }
  bool contains(Ipv4 address) const;
  bool contains(const Cidr& other) const;
  bool overlaps(const Cidr& other) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

// Addresses from `first` to `last`, both of them included.
struct AddressRange {
  Ipv4 first;
  Ipv4 last;

  // `10.0.0.7`, `10.0.0.7-10.0.0.20`, or `10.0.0.0/24`: without the network's first and last one.
  static std::optional<AddressRange> parse(std::string_view text);
  std::string str() const;
  std::uint64_t size() const { return std::uint64_t(last.bits()) - first.bits() + 1; }
  Ipv4 at(std::uint64_t offset) const { return Ipv4(first.bits() + std::uint32_t(offset)); }
  bool contains(Ipv4 address) const { return first <= address && address <= last; }
  bool overlaps(const AddressRange& other) const {
    return first <= other.last && other.first <= last;
  }
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("first", s.first);
    v("last", s.last);
  }
};

}  // namespace hikae
