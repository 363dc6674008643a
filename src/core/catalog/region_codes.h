#pragma once

#include <string>
#include <string_view>

namespace hikae::core {

// The short form of a region's name that stands in endpoint names and zone ids: `ap-northeast-1` is
// `apne1`. AWS's codes follow one rule (the area, the first letter of each direction, the number),
// so a region of the user's own gets its code by the same rule. Always a DNS label: lower-case
// letters and digits, at most 16, `local` when nothing is left.
std::string region_code(std::string_view region);

// The id of a zone named by its region and one letter: `ap-northeast-1c` is `apne1-az3`.
std::string zone_id(std::string_view region, std::string_view zone);

}  // namespace hikae::core
