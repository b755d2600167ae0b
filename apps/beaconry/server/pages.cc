#include "server/pages.h"

#include <algorithm>

#include "server/json_rows.h"

namespace beaconry {

Result<std::string> pages_of(const std::function<Result<std::string>(const PageQuery&)>& get,
                             const PageQuery& query, const char* list,
                             std::optional<std::uint64_t> limit, std::uint64_t most_of_page) {
  if (!limit) return get(query);
  Json rows = Json::array();
  std::string cursor;
  for (;;) {
    const std::uint64_t left = *limit - rows.size();
    PageQuery page = query;
    page.emplace_back("limit", std::to_string(std::min(left, most_of_page)));
    if (!cursor.empty()) page.emplace_back("cursor", cursor);
    auto text = get(page);
    if (!text) return text;
    auto answer = parse_answer(*text);
    if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
    // As it came, not as it may be shown: it goes back to the server.
    const auto next = answer->find("next_cursor");
    cursor = next != answer->end() && next->is_string() ? next->get<std::string>() : std::string();
    const bool whole = cursor.empty() || list_at(*answer, list).size() >= left;
    if (whole && rows.empty()) return text;
    const std::size_t before = rows.size();
    for (const Json& row : list_at(*answer, list)) {
      if (rows.size() < *limit) rows.push_back(row);
    }
    if (whole || rows.size() == before) {
      (*answer)[list] = std::move(rows);
      return answer->dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }
}

}  // namespace beaconry
