#include "app/state_store.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

constexpr const char* kPasswordVariable = "HIKAE_ETCD_PASSWORD";

// Never from the command line, where every user of the machine could read it.
Result<std::string> password_of(const EtcdConfig& config) {
  if (config.user.empty()) {
    return std::string();
  }
  if (!config.password_file.empty()) {
    auto text = adapters::read_file(config.password_file);
    if (!text) {
      return text;
    }
    return std::string(trim(*text));
  }
  const char* given = std::getenv(kPasswordVariable);
  if (given == nullptr || *given == '\0') {
    return fail(ErrorCode::kInvalid,
                fmt::format("the password of the etcd user {} is missing; give "
                            "--etcd-password-file or ${}",
                            config.user, kPasswordVariable));
  }
  return std::string(given);
}

Result<etcd::EtcdOptions> options_of(const EtcdConfig& config) {
  etcd::EtcdOptions options;
  options.endpoints = config.endpoints;
  options.prefix = config.prefix;
  options.user = config.user;
  auto password = password_of(config);
  if (!password) {
    return tl::unexpected(password.error());
  }
  options.password = std::move(*password);
  if (config.tls) {
    auto tls = net::load_tls({config.ca_file, config.certificate_file, config.key_file});
    if (!tls) {
      return tl::unexpected(tls.error());
    }
    options.tls = std::move(*tls);
  }
  return options;
}

}  // namespace

StateStore::Etcd::Etcd(etcd::EtcdOptions options, const Parts& parts)
    : client(std::move(options)),
      store(client, parts.random),
      watch(client, store),
      leadership(parts.executor, client, parts.clock, parts.server),
      presence(parts.executor, client, parts.clock, parts.server) {}

Result<std::unique_ptr<StateStore>> StateStore::open(const ServeConfig& config, Parts parts) {
  auto state = std::make_unique<StateStore>();
  state->server_ = parts.server;
  if (!config.etcd) {
    state->place_ = parts.sqlite_path;
    state->sqlite_.emplace(std::move(parts.sqlite_path), std::move(parts.on_thread));
    return state;
  }
  auto options = options_of(*config.etcd);
  if (!options) {
    return tl::unexpected(options.error());
  }
  state->etcd_.emplace(std::move(*options), parts);
  state->place_ = fmt::format("etcd {} below {}", state->etcd_->client.endpoints(),
                              state->etcd_->client.prefix());
  return state;
}

control::Store& StateStore::store() {
  if (etcd_) {
    return etcd_->store;
  }
  return *sqlite_;
}

control::StateWatch* StateStore::watch() {
  return etcd_ ? &etcd_->watch : nullptr;
}

control::Leadership* StateStore::leadership() {
  return etcd_ ? &etcd_->leadership : nullptr;
}

etcd::EtcdPresence* StateStore::presence() {
  return etcd_ ? &etcd_->presence : nullptr;
}

control::Awaitable<Status> StateStore::restore(core::State state) {
  return etcd_ ? etcd_->store.restore(std::move(state)) : sqlite_->restore(std::move(state));
}

}  // namespace hikae::app
