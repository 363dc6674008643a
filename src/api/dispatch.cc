#include "api/dispatch.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/strings.h"
#include "codec/query/query_node.h"
#include "codec/sign/signature.h"

namespace hikae::api {
namespace {

std::string_view service_name(Service service) {
  switch (service) {
    case Service::kElastiCache:
      return "elasticache";
    case Service::kEc2:
      return "ec2";
    case Service::kSts:
      return "sts";
  }
  HIKAE_CHECK(false);
}

// A random uuid (RFC 4122, version 4).
std::string make_request_id(Random& random) {
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFF, 0x8000 | ((low >> 48) & 0x3FFF), low & 0xFFFFFFFFFFFF);
}

// The fourth part of `<key>/<date>/<region>/<service>/aws4_request`, or empty.
std::string service_of_scope(std::string_view credential) {
  const std::vector<std::string> parts = split(credential, '/');
  return parts.size() == 5 ? parts[3] : std::string();
}

// The service that a request is signed for, before anybody has looked whether the signature is
// right: an error answer, too, must have the shape that the client can read.
std::string claimed_service(const HttpRequest& request, const codec::Form& form) {
  constexpr std::string_view kCredential = "Credential=";
  for (const auto& [name, value] : request.headers) {
    if (!equals_ignoring_case(name, "authorization")) {
      continue;
    }
    const std::size_t start = value.find(kCredential);
    if (start == std::string::npos) {
      continue;
    }
    const std::string_view rest = std::string_view(value).substr(start + kCredential.size());
    return service_of_scope(rest.substr(0, rest.find_first_of(", ")));
  }
  const std::string* credential = form.find("X-Amz-Credential");
  return credential != nullptr ? service_of_scope(*credential) : std::string();
}

std::string parameter(const codec::Form& form, std::string_view name) {
  const std::string* value = form.find(name);
  return value != nullptr ? *value : std::string();
}

}  // namespace

Dispatcher::Dispatcher(std::vector<const ServiceTable*> tables, control::Frontend* frontend,
                       const Credentials& credentials, Random& random, Now now, Logger log,
                       Options options)
    : tables_(std::move(tables)),
      frontend_(frontend),
      credentials_(credentials),
      random_(random),
      now_(std::move(now)),
      log_(std::move(log)),
      options_(std::move(options)) {
  HIKAE_CHECK(!tables_.empty());
}

boost::asio::awaitable<HttpResponse> Dispatcher::handle(HttpRequest request) {
  Call call{.request = std::move(request)};
  call.answer.table = tables_.front();
  call.answer.version = tables_.front()->versions.back().str();
  call.answer.request_id = make_request_id(random_);
  std::string failure;
  try {
    co_return co_await run(call);
  } catch (const std::exception& error) {
    failure = error.what();
  } catch (...) {
    failure = "an exception of unknown type";
  }
  log_(fmt::format("{} from {} failed (request {}): {}", call.action, call.request.peer,
                   call.answer.request_id, failure));
  const ApiFault fault("InternalFailure", "The request failed because of an internal error.", 500);
  co_return fault_answer(call.answer, fault);
}

boost::asio::awaitable<HttpResponse> Dispatcher::run(Call& call) {
  const ApiResult<void> opened = open(call);
  if (!opened) {
    co_return fault_answer(call.answer, opened.error());
  }
  const ApiResult<void> authenticated = authenticate(call);
  if (!authenticated) {
    co_return fault_answer(call.answer, authenticated.error());
  }
  const ApiResult<const Action*> action = choose_action(call);
  if (!action) {
    co_return fault_answer(call.answer, action.error());
  }
  const Result<codec::QueryTree> tree = codec::build_query_tree(call.form);
  if (!tree) {
    co_return fault_answer(call.answer, ApiFault("MalformedQueryString", tree.error().message));
  }

  const ServiceTable& table = *call.answer.table;
  const ApiVersion requested = ApiVersion::parse(call.answer.version).value_or(ApiVersion());
  HandlerContext context(frontend_, call.caller, options_.region, call.answer.request_id,
                         nearest_version(requested, table.versions), options_.quotas,
                         &options_.snapshots);
  Answer answer(call.answer, (*action)->name);
  Invocation invocation{.context = context,
                        .input = tree->root(),
                        .dialect = table.dialect,
                        .result = (*action)->result,
                        .output = answer.output()};
  const std::optional<ApiFault> fault = co_await (*action)->invoke(invocation);
  if (fault) {
    co_return fault_answer(call.answer, *fault);
  }
  co_return answer.finish();
}

// Splits and parses the request, and decides which service answers. After a refusal the form of the
// answer is still usable.
ApiResult<void> Dispatcher::open(Call& call) {
  const std::string_view target = call.request.target;
  const std::size_t mark = target.find('?');
  call.path = target.substr(0, mark);
  call.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);

  Result<codec::Form> form = codec::Form::parse(std::string(call.query) + "&" + call.request.body);
  if (form) {
    call.form = std::move(*form);
  }
  const ServiceTable& table = choose_service(call);
  call.answer.table = &table;
  call.answer.version = table.versions.back().str();
  if (!form) {
    return refuse("MalformedQueryString", form.error().message);
  }

  call.action = parameter(call.form, "Action");
  call.answer.json = table.dialect == Dialect::kQuery &&
                     equals_ignoring_case(parameter(call.form, "ContentType"), "JSON");
  const std::string version = parameter(call.form, "Version");
  if (version.empty()) {
    return {};
  }
  if (!ApiVersion::parse(version)) {
    return refuse("InvalidAction",
                  fmt::format("Could not find operation {} for version {}", call.action, version));
  }
  call.answer.version = version;
  return {};
}

// By the credential scope, else by the version, else by the action, else the default service.
const ServiceTable& Dispatcher::choose_service(const Call& call) const {
  const std::string claimed = claimed_service(call.request, call.form);
  for (const ServiceTable* table : tables_) {
    if (service_name(table->service) == claimed) {
      return *table;
    }
  }
  const std::optional<ApiVersion> version = ApiVersion::parse(parameter(call.form, "Version"));
  for (const ServiceTable* table : tables_) {
    if (version && std::find(table->versions.begin(), table->versions.end(), *version) !=
                       table->versions.end()) {
      return *table;
    }
  }
  const std::string action = parameter(call.form, "Action");
  for (const ServiceTable* table : tables_) {
    if (find_action(*table, action) != nullptr) {
      return *table;
    }
  }
  return *tables_.front();
}

ApiResult<void> Dispatcher::authenticate(Call& call) {
  codec::SignatureInput input{.method = call.request.method,
                              .path = call.path,
                              .query = call.query,
                              .headers = call.request.headers,
                              .body = call.request.body,
                              .now = now_(),
                              .key_cache = &signing_keys_};
  input.lookup = [this](std::string_view id) -> const codec::Credential* {
    const KnownCredential* known = credentials_.find(id);
    return known != nullptr ? &known->credential : nullptr;
  };
  const tl::expected<codec::Verified, codec::SignatureFault> verified =
      codec::verify_signature(input);
  if (!verified) {
    const codec::SignatureFault& fault = verified.error();
    return tl::unexpected<ApiFault>(ApiFault(fault.code, fault.message, fault.http_status));
  }

  const Service service = call.answer.table->service;
  if (!verified->service.empty() && verified->service != service_name(service)) {
    return refuse("SignatureDoesNotMatch",
                  fmt::format("Credential should be scoped to correct service: '{}'.",
                              service_name(service)));
  }
  // STS is one service for all regions: clients of different ages sign for different ones.
  const bool region_matters = service != Service::kSts && !options_.any_region;
  if (region_matters && !verified->region.empty() && verified->region != options_.region) {
    return refuse(
        "SignatureDoesNotMatch",
        fmt::format("Credential should be scoped to a valid region, not '{}'.", verified->region));
  }
  const KnownCredential* known = credentials_.find(verified->access_key_id);
  HIKAE_CHECK(known != nullptr);
  call.caller = Caller{.access_key_id = verified->access_key_id, .account_id = known->account_id};
  return {};
}

ApiResult<const Action*> Dispatcher::choose_action(const Call& call) const {
  if (call.action.empty()) {
    return refuse("MissingAction", "The request must contain the parameter Action.");
  }
  const ServiceTable& table = *call.answer.table;
  const Action* action = find_action(table, call.action);
  const ApiVersion version = nearest_version(
      ApiVersion::parse(call.answer.version).value_or(ApiVersion()), table.versions);
  if (action == nullptr || action->since > version) {
    if (table.dialect == Dialect::kEc2) {
      return refuse("InvalidAction",
                    fmt::format("The action {} is not valid for this web service.", call.action));
    }
    return refuse("InvalidAction", fmt::format("Could not find operation {} for version {}",
                                               call.action, call.answer.version));
  }
  if (action->invoke == nullptr) {
    return refuse("UnsupportedOperation",
                  fmt::format("Hikae does not implement {} yet.", call.action));
  }
  return action;
}

}  // namespace hikae::api
