#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// What goes over the bus, one JSON object a message; docs/formats/instrument.md has each with an
// example. Fields named `json` hold any JSON value as text. Every text and list has a bound;
// decoding refuses what is past it, unknown kinds, and what is no JSON.

// An instrument's news, on its way to the server's store and alert rules.
struct Event {
  std::string uuid;          // RFC 9562, lower case: what makes it count once
  std::string context_uuid;  // of what it belongs to; may be empty
  Timestamp timestamp{};
  std::string type;     // instruments.beacon.ev.alert
  std::string message;  // for people, one line
  std::string data_json = "{}";
};

// A configuration on its way to its instrument.
struct InstrumentConfig {
  std::string target;  // beacon_0@sensor001
  std::uint64_t version = 0;
  std::string uuid;
  Timestamp timestamp{};
  std::string source_instrument;  // who wrote it; empty: the platform's user
  std::string config_json = "{}";
};

enum class ConfigState : std::uint8_t { unset, applying, applied, failed };
enum class HealthState : std::uint8_t { unknown, healthy, degraded, failed };

// Nested: a whole is as bad as its worst part. A cause names what is at the root, so that parts
// that fail for the same reason can be told as one.
struct Health {
  std::string name;  // of the part: "interface probe"; of the whole: the instance
  HealthState state = HealthState::unknown;
  std::string cause;     // one word group that is equal for equal roots: "interface probe lost"
  std::string evidence;  // what was seen
  std::string fix;       // what to do
  Timestamp since{};     // that it is in this state
  std::vector<Health> parts;
};

// What an instrument deleted on command.
struct RetentionReceipt {
  std::string uuid;    // of the command
  Timestamp before{};  // everything older than this is gone
  std::uint64_t items = 0, bytes = 0;
  std::optional<Timestamp> oldest;  // what is left; empty: nothing
  std::string error;                // why it could not; empty: done
};

// A file from outside that an instrument wants to have kept up to date.
struct ResourceWish {
  std::string name;  // file name under /resources
  std::string url;   // http:// or https://
  std::chrono::seconds every{3600};
  std::uint64_t most_bytes = 64 << 20;
  std::string sha256;  // hex; empty: any that is signed
  bool executable = false;
  bool restart = true;  // the instrument, once the file has changed
};

// Platform to downloader, and back.
struct FetchOrder {
  std::string uuid, url, etag;
  std::uint64_t most_bytes = 0;
  std::string sha256;
};
struct FetchResult {
  std::string uuid;
  std::string state;  // "fetched", "unchanged", "failed"
  std::string reason, etag, sha256;
  std::string path,
      signature_path;  // under /transient-data; the signature (.minisig) if there is one
  std::uint64_t bytes = 0;
};

struct FoundInstrument {
  std::string instance, instrument, version, state;
  std::vector<std::string> event_types;
};

// --- platform to instrument ---
namespace to_instrument {
struct Configure {
  InstrumentConfig document;
};
struct AskHealth {
  std::string uuid;
};
struct Retain {
  std::string uuid;
  Timestamp before{};
};
struct Acknowledge {
  std::vector<std::string> events;
};  // stored: forget them
struct Refuse {
  std::vector<std::string> events;
  std::string reason;
};  // will never be stored
struct Found {
  std::string context_uuid;
  std::vector<FoundInstrument> instruments;
};
struct ResourceState {
  std::string name, state, reason, sha256;
};  // PENDING ... INSTALLED, FAILED
struct Fetch {
  FetchOrder order;
};               // downloader only
struct Stop {};  // end soon
}  // namespace to_instrument
using ToInstrument =
    std::variant<to_instrument::Configure, to_instrument::AskHealth, to_instrument::Retain,
                 to_instrument::Acknowledge, to_instrument::Refuse, to_instrument::Found,
                 to_instrument::ResourceState, to_instrument::Fetch, to_instrument::Stop>;

// --- instrument to platform ---
namespace from_instrument {
struct Hello {
  std::string version, sdk;
};  // ready for a configuration
struct Configured {
  std::uint64_t version = 0;
  ConfigState state{};
  std::string reason;
};
struct HealthAnswer {
  std::string uuid;
  Health health;
};
struct Receipt {
  RetentionReceipt receipt;
};
struct Publish {
  Event event;
};
struct Find {
  std::string uuid, instrument;
};  // empty: all that its relations allow
struct Want {
  ResourceWish wish;
};
struct Fetched {
  FetchResult result;
};
}  // namespace from_instrument
using FromInstrument =
    std::variant<from_instrument::Hello, from_instrument::Configured, from_instrument::HealthAnswer,
                 from_instrument::Receipt, from_instrument::Publish, from_instrument::Find,
                 from_instrument::Want, from_instrument::Fetched>;

std::string encode(const ToInstrument& message);
std::string encode(const FromInstrument& message);
Result<ToInstrument> decode_to_instrument(std::string_view json);
Result<FromInstrument> decode_from_instrument(std::string_view json);

// Instrument to instrument, on direct/TO/FROM. A request wants a reply with its uuid as
// context_uuid.
struct DirectMessage {
  enum class Kind : std::uint8_t { message, request, reply };
  Kind kind = Kind::message;
  std::string uuid, context_uuid;
  std::string body_json = "{}";
};
std::string encode(const DirectMessage& message);
Result<DirectMessage> decode_direct(std::string_view json);
// On events/INSTRUMENT/INSTANCE, after the platform stored it.
std::string encode(const Event& event);
Result<Event> decode_event(std::string_view json);

// The same structures as parts of other documents (spool, API).
std::string health_json(const Health& health);
Result<Health> parse_health(std::string_view json);

std::string_view to_string(ConfigState state);  // UNSET, APPLYING, ...
std::string_view to_string(HealthState state);  // unknown, healthy, ...
// Failed is worst; what is not known is worse than healthy, and no more.
bool is_worse(HealthState one, HealthState other);
std::string make_uuid();
bool is_uuid(std::string_view text);  // RFC 9562, lower case

}  // namespace beaconry
