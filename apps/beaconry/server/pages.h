#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace beaconry {

// The most rows that the server puts into one answer, of most lists.
constexpr std::uint64_t kMostOfAPage = 10'000;

// A list of any length as if it were one answer: asks `get` page by page, by `next_cursor`, until
// `limit` rows are there or no more come. Without a limit it is the server's own first page. The
// answer is the last page's, with the rows of all pages under `list`.
using PageQuery = std::vector<std::pair<std::string, std::string>>;
Result<std::string> pages_of(const std::function<Result<std::string>(const PageQuery&)>& get,
                             const PageQuery& query, const char* list,
                             std::optional<std::uint64_t> limit,
                             std::uint64_t most_of_page = kMostOfAPage);

}  // namespace beaconry
