#pragma once

#include <string>
#include <vector>

namespace hikae::core {

// How clients reach a node, and what they have to show.
struct Access {
  std::string transit_encryption;  // TransitEncryptionMode: `preferred`, `required`; empty: none
  // SHA-256 of each AUTH token that counts, hexadecimal, the newest last. Tokens themselves are
  // nowhere.
  std::vector<std::string> tokens;
  // Tokens count, and clients without one are served still: the first token was added by ROTATE.
  bool token_optional = false;

  // Clients may use TLS.
  bool encrypted() const { return !transit_encryption.empty(); }
  // Clients may use TLS or not, on the same port.
  bool takes_both() const { return transit_encryption == "preferred"; }
  // The same clients may log in; what a running engine can be told. How they reach it is another
  // matter.
  bool same_tokens(const Access& other) const {
    return tokens == other.tokens && token_optional == other.token_optional;
  }
  friend bool operator==(const Access&, const Access&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("transit_encryption", s.transit_encryption);
    v("tokens", s.tokens);
    v("token_optional", s.token_optional);
  }
};

}  // namespace hikae::core
