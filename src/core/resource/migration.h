#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace hikae::core {

// A server of the customer's own whose data a replication group takes over: while it does, the
// group's primary is a replica of that server. All of it is empty while there is no migration.
struct Migration {
  std::string host;  // a name or an IPv4 address
  std::uint16_t port = 0;
  // testing: the server is asked whether it would do, and nothing more. starting: the same, and
  // then it goes on. following: the primary follows the server. completing: the server holds back
  // its writes, and once the primary has all of them it leads again. Empty: there is none.
  std::string stage;
  Instant deadline;      // of all stages but following; then it is given up
  bool in_sync = false;  // every member has all that the server has, as last told in an event

  bool under_way() const { return !stage.empty(); }
  // What the primary holds is the server's, and the primary takes no writes.
  bool follows() const { return stage == "following" || stage == "completing"; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("host", s.host);
    v("port", s.port);
    v("stage", s.stage);
    v("deadline", s.deadline);
    v("in_sync", s.in_sync);
  }
};

// A name or an IPv4 address: letters, digits, hyphens, underscores and points, beginning with a
// letter or digit. So it can be nothing else in an engine's configuration file.
bool is_host_name(std::string_view text);

}  // namespace hikae::core
