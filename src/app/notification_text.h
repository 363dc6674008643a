#pragma once

#include <string>

#include "core/state/notifications.h"

namespace hikae::app {

// The message that a webhook or file gets for an event: JSON in the form of an SNS notification,
// with the event beside it. `region` makes its id unique.
std::string notification_text(const core::Notification& notification, const std::string& region);

}  // namespace hikae::app
