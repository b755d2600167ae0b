#include "cli/folder.h"

#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "source/test_capture.h"

namespace beaconry::cli {

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "beaconry-XXXXXX").string();
  if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string TestFolder::write(const std::string& name, std::string_view content) const {
  const auto file = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
  return file.string();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string pcapng_of(const std::string& pcap) {
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, pcap.data() + at, sizeof value);
    return value;
  };
  constexpr std::size_t kFileHeader = 24, kPacketHeader = 16;
  const bool nanoseconds = word(0) == 0xa1b23c4d;
  test_capture::PcapngWriter writer(false);
  writer.section();
  // if_tsresol, option 9: the power of ten of a tick.
  writer.interface(static_cast<std::uint16_t>(word(20)),
                   {{9, std::string(1, nanoseconds ? '\x09' : '\x06')}});
  for (std::size_t at = kFileHeader; at + kPacketHeader <= pcap.size();) {
    const std::uint64_t second = nanoseconds ? 1'000'000'000 : 1'000'000;
    const std::size_t size = word(at + 8);
    writer.enhanced(0, word(at) * second + word(at + 4), pcap.substr(at + kPacketHeader, size),
                    word(at + 12));
    at += kPacketHeader + size;
  }
  return writer.bytes;
}

}  // namespace beaconry::cli
