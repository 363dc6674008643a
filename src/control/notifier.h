#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "control/frontend.h"
#include "control/outbox.h"
#include "core/state/notifications.h"

namespace hikae::control {

// Tells events of caches that have an active notification topic to the sinks, in the form of an SNS
// notification. The server that leads does it, for changes of all servers.
class Notifier {
 public:
  // Makes the text of a message; the second argument is the region's name.
  using Writer = std::function<std::string(const core::Notification&, const std::string&)>;
  Notifier(boost::asio::any_io_executor executor, Frontend& frontend,
           const std::vector<MessageSink*>& sinks, Writer writer, Clock& clock, Log& log);
  ~Notifier();  // stop() must have returned

  void start();
  Awaitable<void> stop();

 private:
  void on_transition(const core::State& after, const core::Transition& transition);

  Frontend& frontend_;
  Writer writer_;
  core::NotificationTopics topics_;
  std::deque<Outbox> outboxes_;
  Frontend::ObserverId observer_ = 0;
};

}  // namespace hikae::control
