#include "app/runtime_facts.h"

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "codec/record/record.h"

namespace hikae::app {
namespace {

std::string facts_path(const std::string& data_directory) {
  return adapters::absolute_path(data_directory) + "/serve.json";
}

std::string how_to_start(const std::string& data_directory) {
  return fmt::format("start it with: hikae serve --data {}", data_directory);
}

}  // namespace

std::optional<Ipv4> RuntimeFacts::dns_on_port_53() const {
  for (const std::string& text : dns) {
    const auto address = SocketAddress::parse(text);
    if (address && address->port == 53) {
      return address->address;
    }
  }
  return std::nullopt;
}

Status write_runtime_facts(const std::string& data_directory, const RuntimeFacts& facts) {
  return adapters::write_file(facts_path(data_directory), codec::to_json(facts) + "\n", 0644);
}

Result<RuntimeFacts> read_runtime_facts(const std::string& data_directory) {
  const std::string path = facts_path(data_directory);
  auto text = adapters::read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("no region was ever served from {}; {}",
                                                  data_directory, how_to_start(data_directory)));
  }
  if (!text) {
    return tl::unexpected(text.error());
  }
  auto facts = codec::from_json<RuntimeFacts>(*text);
  if (!facts || !SocketAddress::parse(facts->api)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is damaged; {}", path, how_to_start(data_directory)));
  }
  return facts;
}

Result<RuntimeFacts> running_serve(const std::string& data_directory) {
  auto facts = read_runtime_facts(data_directory);
  if (facts && !adapters::lock_holder(data_directory)) {
    return fail(ErrorCode::kUnavailable, fmt::format("the region in {} is not being served now; {}",
                                                     data_directory, how_to_start(data_directory)));
  }
  return facts;
}

}  // namespace hikae::app
