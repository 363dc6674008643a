#include "core/admission/migration.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/describe.h"
#include "control/frontend.h"

namespace hikae::api::elasticache::handlers {
namespace {

template <class Message>
core::StartMigration command_of(const Message& input, bool test) {
  core::StartMigration command;
  command.group = input.replication_group_id.value_or("");
  command.test = test;
  const auto sources =
      input.customer_node_endpoint_list.value_or(std::vector<CustomerNodeEndpoint>());
  for (const CustomerNodeEndpoint& endpoint : sources) {
    command.sources.push_back({endpoint.address.value_or(""), endpoint.port.value_or(0)});
  }
  return command;
}

}  // namespace

AsyncResult<StartMigrationResponse> start_migration(HandlerContext& context,
                                                    StartMigrationMessage input) {
  const core::StartMigration command = command_of(input, false);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  StartMigrationResponse result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

AsyncResult<TestMigrationResponse> test_migration(HandlerContext& context,
                                                  TestMigrationMessage input) {
  const core::StartMigration command = command_of(input, true);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  TestMigrationResponse result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

AsyncResult<CompleteMigrationResponse> complete_migration(HandlerContext& context,
                                                          CompleteMigrationMessage input) {
  core::CompleteMigration command;
  command.group = input.replication_group_id.value_or("");
  command.force = input.force.value_or(false);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  CompleteMigrationResponse result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
