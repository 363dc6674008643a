#include "app/store_command.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "app/moved_mark.h"
#include "app/secret_check.h"
#include "app/store_session.h"
#include "storage/archive.h"

namespace hikae::app {
namespace {

// Some hundred times the largest region.
constexpr std::size_t kMaxArchiveBytes = 1ull << 30;

// Digests of passwords are secrets too. Without them nobody can log in as these users until they
// get new passwords; left out altogether, everybody could. Answers how many users lost theirs.
std::size_t forget_passwords(core::State& state) {
  core::Transition changes;
  for (const auto& [id, user] : state.all<core::User>()) {
    if (!user.hashes.empty()) {
      core::User next = user;
      std::fill(next.hashes.begin(), next.hashes.end(), std::string(64, '0'));
      changes.put(std::move(next));
    }
  }
  state.apply(changes, state.revision());
  return changes.changes.size();
}

Status export_region(const ServeConfig& config, const std::string& file, bool with_secrets) {
  const std::string data = adapters::absolute_path(config.data_directory);
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return fail(ErrorCode::kConflict, fmt::format("{} is there already; name another file", file));
  }
  // SQLite would make the file.
  if (!config.etcd && !std::filesystem::exists(data + "/state.db", error)) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no region in {}", data));
  }
  auto opened = StoreSession::open(config);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  auto state = (*opened)->load();
  if (!state) {
    return tl::unexpected(state.error());
  }
  if (state->revision() == core::Revision(0)) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no region in {}", (*opened)->place()));
  }
  storage::Archive archive;
  archive.state = std::move(*state);
  if (with_secrets) {
    auto secret = adapters::read_file(data + "/secret");
    auto credentials = adapters::read_credentials(data);
    if (!secret || !credentials) {
      return tl::unexpected(secret ? credentials.error() : secret.error());
    }
    archive.secret = std::move(*secret);
    archive.access_key_id = std::move(credentials->access_key_id);
    archive.secret_access_key = std::move(credentials->secret_access_key);
  }
  const std::size_t locked = with_secrets ? 0 : forget_passwords(archive.state);
  const core::Revision revision = archive.state.revision();
  const std::string text = storage::write_archive(archive);
  if (Status written = adapters::write_file(file, text, 0600); !written) {
    return written;
  }
  fmt::print("wrote region {} at revision {} to {}{}\n", archive.state.region().name,
             revision.value(), file,
             with_secrets ? ", with its secret and access key: keep it private"
                          : "; its secret and access key stay in " + data);
  if (locked > 0) {
    fmt::print(
        "passwords of {} users were left out: after an import they need new ones, or export "
        "with --with-secrets\n",
        locked);
  }
  return {};
}

// The region's secret has to be in the data directory that will serve it.
Status bring_identity(const adapters::DataDirectory& data, storage::Archive& archive) {
  if (!archive.secret.empty()) {
    const adapters::Credentials credentials{archive.access_key_id, archive.secret_access_key};
    if (Status adopted = data.adopt_identity(archive.secret, credentials); !adopted) {
      return adopted;
    }
  }
  const auto secret = adapters::read_file(data.path() + "/secret");
  if (!secret || !data.has_identity()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{} lacks the region's secret and credentials; copy both files there "
                            "from the region's data directory, or export with --with-secrets",
                            data.path()));
  }
  core::Region region = archive.state.region();
  const std::string check = secret_check(*secret);
  if (!region.secret_check.empty() && region.secret_check != check) {
    return fail(ErrorCode::kConflict,
                fmt::format("the secret in {} is not that of the exported region", data.path()));
  }
  region.secret_check = check;
  core::Transition transition;
  transition.put(std::move(region));
  archive.state.apply(transition, archive.state.revision());
  return {};
}

// The data directory says first that its region goes: nobody can serve it in two places.
Status fill(StoreSession& store, core::State state, const ServeConfig& config,
            const std::string& data) {
  const std::string before = moved_to(data);
  if (Status marked = config.etcd ? mark_moved(data, store.place()) : Status(); !marked) {
    return marked;
  }
  const Status restored = store.restore(std::move(state));
  if (restored) {
    return config.etcd ? Status() : mark_moved(data, "");
  }
  if (restored.error().code == ErrorCode::kTimeout) {
    return restored;  // it may have gone
  }
  if (Status marked = mark_moved(data, before); !marked) {
    return marked;
  }
  return restored.error().code != ErrorCode::kConflict
             ? restored
             : fail(ErrorCode::kConflict,
                    fmt::format("{} holds a region already; nothing was changed", store.place()));
}

Status import_region(const ServeConfig& config, const std::string& file) {
  const auto text = adapters::read_file(file, kMaxArchiveBytes);
  if (!text) {
    return tl::unexpected(text.error());
  }
  auto archive = storage::read_archive(*text);
  if (!archive) {
    return fail(archive.error().code, fmt::format("{}: {}", file, archive.error().message));
  }
  const std::string name = archive->state.region().name;
  if (name != config.region) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} holds the region {}; give --region {}", file, name, name));
  }
  // Nobody serves from it meanwhile.
  const auto data = adapters::DataDirectory::open(config.data_directory);
  if (!data) {
    return tl::unexpected(data.error());
  }
  if (Status identity = bring_identity(*data, *archive); !identity) {
    return identity;
  }
  auto opened = StoreSession::open(config);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  const core::Revision revision = archive->state.revision();
  const Status restored = fill(**opened, std::move(archive->state), config, data->path());
  if (restored) {
    fmt::print("{} holds region {} at revision {} now\n", (*opened)->place(), name,
               revision.value());
  }
  return restored;
}

int exit_code(std::string_view command, const Status& status) {
  if (!status) {
    fmt::print(stderr, "hikae store {}: {}\n", command, status.error().message);
  }
  return status ? 0 : 1;
}

}  // namespace

int run_store_export(const ServeConfig& config, const std::string& file, bool with_secrets) {
  return exit_code("export", export_region(config, file, with_secrets));
}

int run_store_import(const ServeConfig& config, const std::string& file) {
  return exit_code("import", import_region(config, file));
}

}  // namespace hikae::app
