#pragma once

#include <map>
#include <string>

namespace hikae::core {

// Tag key to value. AWS answers tags in no promised order; ours come sorted by key.
using Tags = std::map<std::string, std::string>;

}  // namespace hikae::core
