#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "config/signed_document.h"
#include "sensor/fleet/fleet_wish.h"

namespace beaconry {

// The server's newest document that was found right, on disk as it came: obeyed also where the
// server is away. Any thread.
class KeptDocument {
 public:
  struct Options {
    std::string folder;  // holds document.signed
    std::string key;     // the server's, pinned, 64 hex digits; empty: none, so none is taken
    std::string sensor;  // our fingerprint
    std::string server;  // for people
    bool allow_unsigned = false;
  };
  explicit KeptDocument(Options options) : options_(std::move(options)) {}

  // What an earlier run kept, checked anew: by the key that is pinned now.
  void recall();

  struct Kept {
    DocumentRefusal refusal = DocumentRefusal::none;
    std::string words;  // why it was refused
    bool is_news = false;
    std::uint64_t version = 0;
  };
  // A message from afar. Taken, it is on disk when this returns. An error: it could not be kept,
  // and is not obeyed.
  Result<Kept> keep(std::string_view message, Timestamp now);
  // What keep() would say; counts and changes nothing. With the wish of one that is right.
  struct Looked {
    CheckedDocument checked;
    std::optional<FleetWish> wish;
  };
  Looked look_at(std::string_view message) const;

  std::uint64_t version() const;
  std::optional<FleetWish> wish() const;                 // empty: there is none
  std::string origin_json() const;                       // "{}" without one
  std::map<std::string, std::uint64_t> refused() const;  // by reason, since the start
  struct Refusal {
    std::string words;  // empty: none, or one that is right came since
    Timestamp at{};
  };
  Refusal refusal() const;  // the last one

 private:
  Looked look(std::string_view message) const;
  std::string file() const { return options_.folder + "/document.signed"; }

  const Options options_;
  mutable std::mutex mutex_;
  std::string message_;
  std::optional<SignedDocument> document_;
  std::optional<FleetWish> wish_;
  std::map<std::string, std::uint64_t> refused_;
  Refusal refusal_;
};

}  // namespace beaconry
