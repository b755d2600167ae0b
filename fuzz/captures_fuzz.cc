// Bytes as a pcap or pcapng file, given out in pieces of a size that the last byte says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "source/captures.h"

namespace beaconry {
namespace {

class Pieces : public ByteStream {
 public:
  Pieces(std::string_view bytes, std::size_t piece) : rest_(bytes), piece_(piece) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = rest_.copy(out.data(), std::min(out.size(), piece_));
    rest_.remove_prefix(size);
    return size;
  }
  const std::string& name() const override { return name_; }

 private:
  std::string_view rest_;
  std::size_t piece_;
  std::string name_ = "fuzz.pcap";
};

class Judge : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    if (event.time < kEarliest || event.time > kLatest || event.duration < Duration{0}) {
      std::abort();
    }
    ++events;
  }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::size_t events = 0;
};

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  if (size == 0) return 0;
  std::vector<std::unique_ptr<ByteStream>> streams;
  streams.push_back(std::make_unique<Pieces>(
      std::string_view(reinterpret_cast<const char*>(data), size), data[size - 1] + 1U));
  Judge judge;
  ReadReport report;
  read_captures(std::move(streams), ReadOptions{}, judge, report);
  // Packets that were used are in events, and a file that gave none is not counted as read.
  if ((report.inputs_read() > 0) != (judge.events > 0)) std::abort();
  return 0;
}
