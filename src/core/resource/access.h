#pragma once

#include <string>
#include <vector>

namespace hikae::core {

// How clients reach a node, and what they have to show.
struct Access {
  std::string transit_encryption;  // TransitEncryptionMode, `required`; empty: none
  // SHA-256 of each AUTH token that counts, hexadecimal, the newest last. Tokens themselves are
  // nowhere.
  std::vector<std::string> tokens;
  // Tokens count, and clients without one are served still: the first token was added by ROTATE.
  bool token_optional = false;

  bool encrypted() const { return !transit_encryption.empty(); }
  friend bool operator==(const Access&, const Access&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("transit_encryption", s.transit_encryption);
    v("tokens", s.tokens);
    v("token_optional", s.token_optional);
  }
};

}  // namespace hikae::core
