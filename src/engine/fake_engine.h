#pragma once

#include <map>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/strings.h"
#include "codec/resp/value.h"
#include "engine/admin_connection.h"

// For tests: one engine that answers commands as they are prepared, and any other with OK.

namespace hikae::engine {

class FakeEngine final : public AdminConnector {
 public:
  // Of answers to the same command each is given once, the last one from then on.
  void answer(const std::string& command, std::string text) { answers_[command].push(text); }
  const std::vector<std::string>& commands() const { return commands_; }

  control::Awaitable<Result<std::unique_ptr<AdminConnection>>> connect(std::string,
                                                                       Duration) override {
    co_return std::make_unique<Connection>(*this);
  }
  control::Awaitable<Result<std::unique_ptr<AdminConnection>>> connect_to(std::string,
                                                                          std::uint16_t,
                                                                          Duration) override {
    co_return fail(ErrorCode::kUnavailable, "only nodes are asked here");
  }

 private:
  struct Connection final : AdminConnection {
    explicit Connection(FakeEngine& to) : engine(to) {}
    control::Awaitable<Result<std::vector<codec::resp::Value>>> call(std::vector<Command> commands,
                                                                     Duration) override {
      std::vector<codec::resp::Value> replies;
      for (const Command& command : commands) {
        replies.push_back(engine.reply(join(command, " ")));
      }
      co_return replies;
    }
    void close() override {}
    FakeEngine& engine;
  };

  codec::resp::Value reply(const std::string& command) {
    commands_.push_back(command);
    codec::resp::Value out;
    out.type = codec::resp::Value::Type::kBulk;
    const auto known = answers_.find(command);
    out.text = known == answers_.end() ? "OK" : known->second.front();
    if (known != answers_.end() && known->second.size() > 1) {
      known->second.pop();
    }
    return out;
  }

  std::map<std::string, std::queue<std::string>> answers_;
  std::vector<std::string> commands_;
};

// Runs one operation to its end.
template <class T>
T run_to_end(boost::asio::io_context& context, control::Awaitable<T> operation) {
  auto result = boost::asio::co_spawn(context, std::move(operation), boost::asio::use_future);
  context.restart();
  context.run();
  return result.get();
}

}  // namespace hikae::engine
