#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hikae::api {

using HttpHeader = std::pair<std::string, std::string>;

// A request as it came from the wire, whole and within the limits of the HTTP adapter.
struct HttpRequest {
  std::string method;
  std::string target;  // path and query, nothing decoded: `/?Action=...`
  std::vector<HttpHeader> headers;
  std::string body;
  std::string peer;  // who sent it, for the log
};

struct HttpResponse {
  int status = 200;
  std::vector<HttpHeader> headers;
  std::string body;
};

}  // namespace hikae::api
