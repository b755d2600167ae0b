#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "packet/found_name.h"
#include "source/block_reader.h"

namespace beaconry {

// What libpcap allows, too; a larger record is a damaged file.
constexpr std::uint32_t kLargestPacket = 256 << 10;

// A packet as it stands in a capture. `bytes` live until the reader's next step.
struct RawPacket {
  std::optional<Timestamp>
      time;  // none: the format has none here, or it is outside kEarliest..kLatest
  ByteView bytes;
  std::uint32_t wire_length = 0;
  std::uint32_t link_type = 0;
};

enum class CaptureStep : std::uint8_t {
  packet,
  end,
  cut,     // the file ends inside a record
  failed,  // error() says why; nothing more can be read
};

// Reads one capture from first to last. One thread.
class CaptureReader {
 public:
  virtual ~CaptureReader() = default;
  virtual CaptureStep next(RawPacket& packet) = 0;
  const std::string& name() const { return blocks_.name(); }
  const Error& error() const { return error_; }  // REQUIRES a step that failed

 protected:
  explicit CaptureReader(BlockReader blocks) : blocks_(std::move(blocks)) {}

  // Names what is wrong and where: "read a.pcap: byte 4096: ...".
  CaptureStep fail_at(std::uint64_t offset, const std::string& cause);
  // Fewer bytes than expected: the end of a capture, an interrupted one, or an error of the stream.
  CaptureStep stop(std::size_t got);

  BlockReader blocks_;

 private:
  Error error_;
};

// Tells pcap from pcapng by content and reads the file's header.
Result<std::unique_ptr<CaptureReader>> open_capture(std::unique_ptr<ByteStream> stream);

// Is this, the first 4 bytes of a file, one of the magic numbers?
bool looks_like_capture(ByteView beginning);

}  // namespace beaconry
