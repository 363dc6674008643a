#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"

namespace hikae::net {

// Files in PEM form.
struct TlsFiles {
  std::string ca_file;  // whom to trust; empty: whom the system trusts
  // Our own certificate and its key, for peers that ask for one; both or none.
  std::string certificate_file;
  std::string key_file;
};

// TLS 1.2 or newer; the peer has to prove that it is who we asked for.
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// kInvalid names the file that cannot be used.
Result<TlsContext> load_tls(const TlsFiles& files);

}  // namespace hikae::net
