#include "source/capture_reader.h"

#include "source/pcap.h"
#include "source/pcapng.h"

namespace beaconry {

CaptureStep CaptureReader::fail_at(std::uint64_t offset, const std::string& cause) {
  error_ =
      Error{ErrorKind::malformed, "read", name(), "byte " + std::to_string(offset) + ": " + cause};
  return CaptureStep::failed;
}

CaptureStep CaptureReader::stop(std::size_t got) {
  if (blocks_.error()) {
    error_ = *blocks_.error();
    return CaptureStep::failed;
  }
  return got == 0 ? CaptureStep::end : CaptureStep::cut;
}

bool looks_like_capture(ByteView beginning) {
  return looks_like_pcap(beginning) || looks_like_pcapng(beginning);
}

Result<std::unique_ptr<CaptureReader>> open_capture(std::unique_ptr<ByteStream> stream) {
  BlockReader blocks(std::move(stream));
  const ByteView beginning = blocks.peek(4);
  if (looks_like_pcap(beginning)) return open_pcap(std::move(blocks));
  if (looks_like_pcapng(beginning)) return open_pcapng(std::move(blocks));
  if (blocks.error()) return tl::unexpected<Error>(*blocks.error());
  return fail(ErrorKind::unsupported, "read", blocks.name(), "neither a pcap nor a pcapng file");
}

}  // namespace beaconry
