#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace hikae {

// What went wrong below the API: storage, processes, sockets, files. Faults that a client of the
// API sees are core::Fault; an Error is for operators and for code that decides whether to retry.
enum class ErrorCode {
  kInvalid,      // the input can never work
  kNotFound,     // the thing asked for does not exist
  kConflict,     // somebody else changed it first; read again and retry
  kUnavailable,  // the other side did not answer or refused; retrying may help
  kTimeout,      // no answer in time; it may or may not have happened
  kExhausted,    // a limit is reached (memory, descriptors, disk, queue)
  kDenied,       // the operating system or a peer forbids it
  kInternal,     // a bug or an unexpected answer
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one line: what happened, to what, and what to do
};

template <class T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace hikae
