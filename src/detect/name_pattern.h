#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// A pattern for server names. `*` stands for any characters, dots included, also for none; `?` for
// exactly one. Case and a final dot do not matter. As with TLS certificates and shells,
// "*.example.com" does not match "example.com" itself; ".example.com" matches both it and every
// name below it.
class NamePattern {
 public:
  // The error's cause says what to write instead.
  static Result<NamePattern> parse(std::string_view text);

  // REQUIRES a normalised name (flow/server_name.h). An empty name matches nothing.
  bool matches(std::string_view name) const;

  // Whole labels that every matching name ends in, to look patterns up by: "*.example.com" ->
  // "example.com". Empty where there are none.
  std::string_view fixed_ending() const;

 private:
  std::string glob_;        // lower case, without the leading dot
  bool and_below_ = false;  // it was written with a leading dot
  bool has_wildcard_ = false;
};

}  // namespace beaconry
