#include "base/address.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae {

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) {
    return std::nullopt;
  }
  std::uint32_t bits = 0;
  for (const std::string& part : parts) {
    const auto octet = parse_integer(part);
    const bool canonical = part.size() == 1 || (part.size() <= 3 && part.front() != '0');
    if (!octet || *octet < 0 || *octet > 255 || !canonical) {
      return std::nullopt;
    }
    bits = bits << 8 | std::uint32_t(*octet);
  }
  return Ipv4(bits);
}

std::string Ipv4::str() const {
  return fmt::format("{}.{}.{}.{}", bits_ >> 24, bits_ >> 16 & 255, bits_ >> 8 & 255, bits_ & 255);
}

namespace {

std::uint32_t mask(int prefix_length) {
  return prefix_length == 0 ? 0 : ~std::uint32_t(0) << (32 - prefix_length);
}

}  // namespace

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto address = Ipv4::parse(text.substr(0, slash));
  const auto length = parse_integer(text.substr(slash + 1));
  if (!address || !length || *length < 0 || *length > 32) {
    return std::nullopt;
  }
  return Cidr{Ipv4(address->bits() & mask(int(*length))), int(*length)};
}

std::string Cidr::str() const {
  return fmt::format("{}/{}", base.str(), prefix_length);
}

bool Cidr::contains(Ipv4 address) const {
  return (address.bits() & mask(prefix_length)) == base.bits();
}

bool Cidr::contains(const Cidr& other) const {
  return prefix_length <= other.prefix_length && contains(other.base);
}

bool Cidr::overlaps(const Cidr& other) const {
  return contains(other) || other.contains(*this);
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  if (const auto network = Cidr::parse(text)) {
    const bool has_ends = network->size() > 2;
    const std::uint64_t last = network->size() - (has_ends ? 2 : 1);
    return AddressRange{network->at(has_ends ? 1 : 0), network->at(last)};
  }
  const auto hyphen = text.find('-');
  const auto first = Ipv4::parse(text.substr(0, hyphen));
  const auto last = hyphen == std::string_view::npos ? first : Ipv4::parse(text.substr(hyphen + 1));
  if (!first || !last || *last < *first) {
    return std::nullopt;
  }
  return AddressRange{*first, *last};
}

std::string AddressRange::str() const {
  return first == last ? first.str() : fmt::format("{}-{}", first.str(), last.str());
}

}  // namespace hikae
