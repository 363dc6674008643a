#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hikae::codec::dns {

// RFC 1035 2.3.4: sizes in wire form, the name with its length bytes and the root.
inline constexpr std::size_t kMaxNameSize = 255;
inline constexpr std::size_t kMaxLabelSize = 63;

// A name with more pointers than this is an attack: honest ones have one.
inline constexpr int kMaxPointerHops = 32;

// A domain name in wire form without compression: labels behind their length bytes, then the root's
// zero byte. Always valid; the case of letters is kept.
class Name {
 public:
  Name() { bytes_[0] = 0; }  // the root

  // From `a.b.c` or `a.b.c.`; nullopt for empty or too long labels and too long names. There are no
  // escapes: a dot always ends a label.
  static std::optional<Name> parse(std::string_view text);

  std::string_view wire() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }
  std::string str() const;  // `a.b.c`; the root is `.`
  Name lowered() const;     // ASCII letters only

 private:
  friend std::optional<std::size_t> read_name(std::span<const std::uint8_t> message,
                                              std::size_t offset, Name& out);

  bool append_label(const std::uint8_t* label, std::size_t size);

  std::array<std::uint8_t, kMaxNameSize> bytes_;
  std::uint8_t size_ = 1;
};

// Reads the name at `offset`, following compression pointers, which must point backwards and behind
// the header. Returns the offset behind the name, or nullopt when it is malformed (`out` is then
// unspecified). Any bytes are safe.
std::optional<std::size_t> read_name(std::span<const std::uint8_t> message, std::size_t offset,
                                     Name& out);

// Same labels, ignoring the case of ASCII letters (RFC 4343). Both in wire form of the same size.
bool equal_labels(std::string_view a, std::string_view b);

// The wire form behind its first label; the root has no parent (empty).
std::string_view parent_of(std::string_view wire);

}  // namespace hikae::codec::dns
