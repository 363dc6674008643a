#include "codec/agent/messages.h"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

namespace hikae::codec::agent {
namespace {

struct Text {
  std::string_view field;
  const std::string& value;
  std::size_t most;
};

Status check_texts(std::initializer_list<Text> texts) {
  for (const Text& text : texts) {
    if (Status checked = check_text(text.field, text.value, text.most); !checked) {
      return checked;
    }
  }
  return {};
}

// PEM has line feeds.
Status check_pem(std::string_view field, const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
  if (text.empty() || text.size() > kMaxPemBytes || !plain) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is not PEM of at most {} bytes", field, kMaxPemBytes));
  }
  return {};
}

}  // namespace

Status HostFacts::check() const {
  if (addresses.size() > kMaxListLength || engines.size() > kMaxListLength) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a host tells at most {} ranges and engines", kMaxListLength));
  }
  for (const AddressRange& range : addresses) {
    if (range.last < range.first) {
      return fail(ErrorCode::kInvalid, fmt::format("{} is no range of addresses", range.str()));
    }
  }
  for (const std::string& engine : engines) {
    if (Status checked = check_text("facts.engines", engine, kMaxNameBytes); !checked) {
      return checked;
    }
  }
  return check_text("facts.zone", zone, kMaxNameBytes);
}

Status Hello::check() const {
  Status checked =
      check_texts({{"software", software, kMaxNameBytes}, {"instance", instance, kMaxNameBytes}});
  return checked ? facts.check() : checked;
}

Status Welcome::check() const {
  return check_texts({{"software", software, kMaxNameBytes}, {"region", region, kMaxNameBytes}});
}

Status Join::check() const {
  Status checked = check_texts({{"software", software, kMaxNameBytes},
                                {"token_id", token_id, kMaxNameBytes},
                                {"token_secret", token_secret, kMaxNameBytes},
                                {"name", name, kMaxNameBytes}});
  if (checked) {
    checked = check_pem("certificate_request", certificate_request);
  }
  return checked ? facts.check() : checked;
}

Status Joined::check() const {
  Status checked = check_pem("certificate", certificate);
  return checked ? check_pem("ca_certificate", ca_certificate) : checked;
}

Status Refusal::check() const {
  return check_texts({{"code", code, kMaxNameBytes}, {"message", message, kMaxLineBytes}});
}

Status Renew::check() const {
  return check_pem("certificate_request", certificate_request);
}

Status Renewed::check() const {
  return check_pem("certificate", certificate);
}

std::string version_conflict(ProtocolVersion ours, ProtocolVersion theirs, std::string_view who,
                             std::string_view their_software) {
  if (ours.major == theirs.major) {
    return "";
  }
  const bool they_are_older = theirs.major < ours.major;
  return fmt::format(
      "{} (hikae {}) speaks version {} of the agent protocol, this side speaks {}; upgrade {}", who,
      their_software.empty() ? "of unknown version" : their_software, theirs.str(), ours.str(),
      they_are_older ? "that one" : "this one");
}

}  // namespace hikae::codec::agent
