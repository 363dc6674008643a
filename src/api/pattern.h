#pragma once

#include <string_view>

namespace hikae::api {

// Whether the whole of `text` matches `pattern`, in time proportional to both lengths, whatever a
// client sends. Patterns come from model/*.json and are our own text; the part of the regular
// expressions that the models use is: characters, `.`, `\d`, `\S`, `\-` and other escaped
// characters, classes `[a-z0-9\-]`, each followed by nothing, `*`, `+`, `?`.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace hikae::api
