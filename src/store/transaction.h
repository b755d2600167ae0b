#pragma once
#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <utility>

#include "store/database.h"

namespace beaconry {

template <class Work>
auto Database::transact(const Work& work) -> std::invoke_result_t<Work, SQLite::Database&> {
  using Answer = std::invoke_result_t<Work, SQLite::Database&>;
  std::optional<Answer> answer;
  auto done = run([&](SQLite::Database& database) -> Result<void> {
    answer.emplace(work(database));
    if (*answer) return {};
    return tl::unexpected<Error>(answer->error());
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return std::move(*answer);
}

}  // namespace beaconry
