#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace beaconry {

// A request's query, read parameter by parameter. The first that is not what it should be is kept
// as the words of a 400; reading goes on with defaults. Parameters that nobody reads are ignored,
// as the predecessor did.
class Query {
 public:
  explicit Query(const HttpRequest& request) : parameters_(request.parameters()) {}

  std::optional<std::string> text(std::string_view name) const;  // empty counts as not given
  double number(std::string_view name, double fallback, double least, double most);
  std::uint64_t count(std::string_view name, std::uint64_t fallback, std::uint64_t least,
                      std::uint64_t most);
  // Of a list whose cursors are the number of rows before: `limit`, 10000 by default, and `cursor`.
  struct Page {
    std::size_t first = 0, limit = 0;
    std::size_t end(std::size_t rows) const { return std::min(rows, first + limit); }
    // The next page's cursor; empty after the last.
    std::string next(std::size_t rows) const {
      return end(rows) < rows ? std::to_string(end(rows)) : std::string();
    }
  };
  Page page();
  bool flag(std::string_view name);  // true, 1, yes, or nothing behind the name
  void refuse(std::string words);

  // Set once something was wrong: the answer to give.
  const std::optional<HttpResponse>& refusal() const { return refusal_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::optional<HttpResponse> refusal_;
};

}  // namespace beaconry
