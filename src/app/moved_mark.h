#pragma once

#include <string>

#include "base/result.h"

namespace hikae::app {

// A note in a data directory whose region was moved to etcd: what is left there is old.
std::string moved_mark_path(const std::string& data_directory);

// Where the region is now; empty: here.
std::string moved_to(const std::string& data_directory);

// Notes the place; an empty one takes the note away.
Status mark_moved(const std::string& data_directory, const std::string& place);

}  // namespace hikae::app
