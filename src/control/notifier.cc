#include "control/notifier.h"

namespace hikae::control {
Notifier::Notifier(boost::asio::any_io_executor executor, Frontend& frontend,
                   const std::vector<MessageSink*>& sinks, Writer writer, Clock& clock, Log& log)
    : frontend_(frontend), writer_(std::move(writer)) {
  for (MessageSink* sink : sinks) {
    outboxes_.emplace_back(executor, *sink, clock, log);
  }
}

Notifier::~Notifier() {
  frontend_.forget(observer_);
}

void Notifier::start() {
  if (outboxes_.empty()) {
    return;
  }
  topics_ = core::NotificationTopics(frontend_.state());
  observer_ =
      frontend_.observe([this](const core::State& after, const core::Transition& transition) {
        on_transition(after, transition);
      });
  for (Outbox& outbox : outboxes_) {
    outbox.start();
  }
}

Awaitable<void> Notifier::stop() {
  frontend_.forget(observer_);
  for (Outbox& outbox : outboxes_) {
    co_await outbox.stop();
  }
}

void Notifier::on_transition(const core::State& after, const core::Transition& transition) {
  for (const core::Notification& one : topics_.follow(transition)) {
    const std::string text = writer_(one, after.region().name);
    for (Outbox& outbox : outboxes_) {
      outbox.put(text);
    }
  }
}

}  // namespace hikae::control
