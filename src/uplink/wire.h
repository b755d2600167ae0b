#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "flow/server_name.h"

namespace beaconry::uplink {

// What both ends of the uplink keep to.
constexpr std::size_t kLongestText = kLongestServerName;  // of any name, id or place
constexpr std::size_t kMostCounters = 4096;
constexpr unsigned kNameKindShift = 4;
constexpr unsigned kBeginsCheckIn = 1U << 3;
constexpr unsigned kEventKindMask = 7;

// One field of a Protobuf message as it lies in its bytes.
struct WireField {
  std::uint32_t number = 0;
  std::uint32_t type = 0;  // 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
  std::string_view bytes;  // of type 2
};

// Walks a message's fields without decoding them, so that its parts can be counted before a parser
// makes objects of them: two bytes on the wire may become fifty in memory.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end and where the bytes are none of a message: malformed() tells which.
  bool next(WireField& field);
  bool malformed() const { return malformed_; }

 private:
  bool varint(std::uint64_t& value);
  bool skip(std::size_t bytes);
  bool fail();

  std::string_view rest_;
  bool malformed_ = false;
};

// No control characters: what goes to terminals, logs and pages. UTF-8 is the parser's affair.
bool is_plain_text(std::string_view text);

// The same, and not longer than kLongestText.
bool is_text(std::string_view text);

// A text as decoders take it. Views `text` or `buffer`. Sources' names are so already, but for logs
// with odd bytes.
std::string_view cleaned(std::string_view text, std::string& buffer);

// Not more than `most` fields, at this message's own level; what is malformed is the parser's
// affair.
bool has_at_most(std::string_view message, std::size_t most);

// Messages of the Protobuf library about foreign bytes are not for standard error.
void silence_protobuf();

}  // namespace beaconry::uplink
