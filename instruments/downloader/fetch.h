#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "bus/messages.h"

namespace beaconry {

struct FetchSettings {
  std::string folder;  // of files that are fetched
  std::string ca_pem;  // empty: the system's
  unsigned redirections = 5;
  std::chrono::seconds connect_timeout{10}, answer_timeout{30};
  std::chrono::seconds stall{60}, longest{3600};  // without a byte; in all
  std::uint64_t longest_signature = 4096;
};

// Fetches one file and, where there is one, its signature (URL.minisig): into FOLDER/UUID and
// FOLDER/UUID.minisig, both whole or not at all. Size and SHA-256 are held while it comes. Blocks;
// any thread. Proxies are those of the environment. `is_cancelled` is asked several times a second.
// A failure is in the result, in an operator's words; no query of a URL is in them.
FetchResult fetch(const FetchOrder& order, const FetchSettings& settings,
                  const std::function<bool()>& is_cancelled);

}  // namespace beaconry
