#include "app/store_session.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "adapters/system/data_directory.h"

namespace hikae::app {
namespace {

template <class T>
control::Awaitable<void> keep(control::Awaitable<T> operation, std::optional<T>& result) {
  result.emplace(co_await std::move(operation));
}

template <class T>
T run(boost::asio::io_context& context, control::Awaitable<T> operation) {
  std::optional<T> result;
  boost::asio::co_spawn(context, keep(std::move(operation), result), boost::asio::detached);
  context.restart();
  context.run();
  return std::move(*result);
}

}  // namespace

Result<std::unique_ptr<StoreSession>> StoreSession::open(const ServeConfig& config) {
  auto session = std::make_unique<StoreSession>();
  const std::string data = adapters::absolute_path(config.data_directory);
  auto state = StateStore::open(config, {session->context_.get_executor(), session->random_,
                                         session->clock_, data + "/state.db", "hikae"});
  if (!state) {
    return tl::unexpected(state.error());
  }
  session->state_ = std::move(*state);
  return session;
}

Result<core::State> StoreSession::load() {
  return run(context_, state_->store().load());
}

Status StoreSession::restore(core::State state) {
  return run(context_, state_->restore(std::move(state)));
}

}  // namespace hikae::app
