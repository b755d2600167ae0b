#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace beaconry {

enum class ErrorKind { usage, not_found, io, malformed, unsupported, limit, conflict };

// What went wrong, in the words of somebody who can act on it: "open /a/conn.log: no such file".
struct Error {
  ErrorKind kind = ErrorKind::io;
  std::string operation;  // what was being done: "open", "read", "parse"
  std::string subject;    // to what: a path, an option, a key
  std::string cause;      // why it failed, with the remedy where there is one

  std::string message() const {
    std::string text = operation;
    if (!subject.empty()) text += (text.empty() ? "" : " ") + subject;
    if (!cause.empty()) text += (text.empty() ? "" : ": ") + cause;
    return text;
  }
};

// A value or the reason why there is none. The class, unlike an alias, cannot be ignored.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> fail(ErrorKind kind, std::string operation, std::string subject,
                                  std::string cause) {
  return tl::unexpected<Error>(
      Error{kind, std::move(operation), std::move(subject), std::move(cause)});
}

// An error from errno, read at the call.
tl::unexpected<Error> fail_errno(std::string operation, std::string subject);

}  // namespace beaconry
