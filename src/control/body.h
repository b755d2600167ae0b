#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// A small JSON object that was posted: texts by name. The first thing that is wrong is kept as
// error(), in words that name the field.
class Body {
 public:
  // `known`: fields that there are, to name them where another is given.
  static Result<Body> parse(std::string_view json, std::initializer_list<std::string_view> known);

  // Required: not empty.
  std::string text(std::string_view name);
  std::string text_or(std::string_view name, std::string fallback);
  // An RFC 3339 time, or a length from `now` on such as "7d" or 3600.
  std::optional<Timestamp> time(std::string_view name, Timestamp now);
  const std::string& error() const { return error_; }
  void refuse(std::string words);

 private:
  std::string error_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace beaconry
