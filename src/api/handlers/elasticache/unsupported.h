#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/fault.h"

namespace hikae::api::elasticache {

// Collects parameters that ask for something Hikae does not do yet. Refusing is honest: storing a
// wish for encryption or snapshots and doing nothing would not be. Parameters that ask for nothing
// (false, an empty list) pass.
class Unsupported {
 public:
  void flag(std::string_view parameter, const std::optional<bool>& value) {
    add(parameter, value.value_or(false));
  }
  void text(std::string_view parameter, const std::optional<std::string>& value,
            std::string_view harmless = "") {
    add(parameter, value.has_value() && *value != harmless);
  }
  template <class List>
  void list(std::string_view parameter, const std::optional<List>& value) {
    add(parameter, value.has_value() && !value->empty());
  }

  // The refusal for the first such parameter.
  std::optional<ApiFault> fault() const { return fault_; }

 private:
  void add(std::string_view parameter, bool asked) {
    if (asked && !fault_) {
      fault_ = ApiFault("InvalidParameterCombination", "Hikae does not implement the parameter " +
                                                           std::string(parameter) +
                                                           " yet. Leave it out.");
    }
  }

  std::optional<ApiFault> fault_;
};

}  // namespace hikae::api::elasticache
