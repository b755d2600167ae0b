#pragma once
#include <chrono>
#include <future>

#include "store/transaction.h"

namespace beaconry::test {

// Whether `look` gets its answers while somebody else has the disk and `change` waits for it.
template <class Change, class Look>
bool looks_while_the_disk_is_busy(Database& database, const Change& change, const Look& look) {
  constexpr auto kPatience = std::chrono::seconds{60};
  std::future<void> changing, looking;  // they end once the disk is free
  bool looked = false;
  auto held = database.transact([&](SQLite::Database&) -> Result<void> {
    changing = std::async(std::launch::async, change);
    looking = std::async(std::launch::async, [&] {
      for (int i = 0; i < 10'000; ++i)
        look();
    });
    looked = looking.wait_for(kPatience) == std::future_status::ready;
    return {};
  });
  changing.wait();
  looking.wait();
  return held && looked;
}

}  // namespace beaconry::test
