#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace hikae::core {

// A weekly window `ddd:hh24:mi-ddd:hh24:mi`, UTC, from 60 minutes to 24 hours long (AWS API
// reference, CreateCacheCluster PreferredMaintenanceWindow). Answers the lower-case form.
std::optional<std::string> parse_maintenance_window(std::string_view text);

// A daily window `hh24:mi-hh24:mi`, UTC, from 60 minutes to 22 hours long, so that a maintenance
// window always fits beside it.
std::optional<std::string> parse_snapshot_window(std::string_view text);

// How long until the weekly window is open: zero within it. nullopt: the window is not valid.
std::optional<Duration> until_maintenance(std::string_view window, Instant now);

// When the daily window that is open now has opened; nullopt: it is closed, or not valid.
std::optional<Instant> snapshot_window_opened(std::string_view window, Instant now);

// True when the daily window meets the weekly one on any day; false when either is not valid.
bool windows_overlap(std::string_view maintenance, std::string_view snapshot);

// One hour on a random day, and one hour that does not overlap it.
std::string random_maintenance_window(Random& random);
std::string random_snapshot_window(Random& random, std::string_view maintenance);

}  // namespace hikae::core
