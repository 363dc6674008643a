#pragma once

#include <vector>

#include "app/host_messages.h"
#include "app/region_duty.h"
#include "core/state/state.h"

namespace hikae::app {

// The hosts of the region as people see them. Whether one is connected is known at once where this
// server leads, and from the state elsewhere.
std::vector<HostView> host_views(const core::State& state, const RegionDuty& duty);

// As rows of a table, with its head.
std::vector<std::vector<std::string>> host_rows(const std::vector<HostView>& hosts);

}  // namespace hikae::app
