#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <new>

#include "image/tar.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 512, kNameBytes = 100, kPrefixBytes = 155;
constexpr int kLevel = 6;

void put(char* field, std::size_t size, std::string_view text) {
  std::copy_n(text.data(), std::min(size, text.size()), field);
}

// Octal digits and a NUL.
void put_number(char* field, std::size_t size, std::uint64_t value) {
  field[size - 1] = '\0';
  for (std::size_t i = size - 1; i-- > 0; value >>= 3)
    field[i] = static_cast<char>('0' + (value & 7));
}

}  // namespace

class TarWriter::Deflater {
 public:
  Deflater() {
    // 16: a gzip header, which zlib leaves without name and time.
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min<std::size_t>(bytes.size(), 1 << 20);
      step(bytes.substr(0, part), Z_NO_FLUSH);
      bytes.remove_prefix(part);
    }
  }
  std::string finish() {
    step({}, Z_FINISH);
    return std::move(packed_);
  }

 private:
  void step(std::string_view bytes, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's own type
    stream_.avail_in = static_cast<uInt>(bytes.size());
    std::array<char, 64 << 10> block;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(block.data());
      stream_.avail_out = static_cast<uInt>(block.size());
      deflate(&stream_, flush);
      packed_.append(block.data(), block.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::string packed_;
};

TarWriter::TarWriter() : deflater_(std::make_unique<Deflater>()) {}
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter::~TarWriter() = default;

void TarWriter::header(const TarEntry& entry, char type, std::uint64_t bytes) {
  std::array<char, kBlock> block{};
  std::string_view name = entry.path;
  std::string_view prefix;
  if (name.size() > kNameBytes) {
    // Where a slash lets it be cut in two; else a long entry before it has the whole.
    const auto cut = name.find('/', name.size() - kNameBytes - 1);
    if (cut != std::string_view::npos && cut <= kPrefixBytes && cut + 1 < name.size()) {
      prefix = name.substr(0, cut);
      name = name.substr(cut + 1);
    }
  }
  put(block.data(), kNameBytes, name);
  put_number(block.data() + 100, 8, entry.mode);
  put_number(block.data() + 108, 8, 0);
  put_number(block.data() + 116, 8, 0);
  put_number(block.data() + 124, 12, bytes);
  put_number(block.data() + 136, 12, 1);
  std::memset(block.data() + 148, ' ', 8);
  block[156] = type;
  put(block.data() + 157, kNameBytes, entry.target);
  put(block.data() + 257, 8, std::string_view("ustar\00000", 8));
  put_number(block.data() + 329, 8, 0);
  put_number(block.data() + 337, 8, 0);
  put(block.data() + 345, kPrefixBytes, prefix);
  unsigned sum = 0;
  for (const char c : block)
    sum += static_cast<unsigned char>(c);
  put_number(block.data() + 148, 7, sum);
  deflater_->write({block.data(), block.size()});
}

void TarWriter::long_text(char type, const std::string& text) {
  TarEntry entry;
  entry.path = "././@LongLink";
  header(entry, type, text.size() + 1);
  std::string padded = text + '\0';
  padded.resize((padded.size() + kBlock - 1) / kBlock * kBlock, '\0');
  deflater_->write(padded);
}

void TarWriter::add(const TarEntry& given, std::string_view content) {
  TarEntry entry = given;
  char type = '0';
  if (entry.kind == TarEntry::Kind::folder) {
    type = '5';
    entry.path += '/';
  } else if (entry.kind == TarEntry::Kind::link) {
    type = '2';
  }
  const auto fits = [](const std::string& path) {
    if (path.size() <= kNameBytes) return true;
    const auto cut = path.find('/', path.size() - kNameBytes - 1);
    return cut != std::string::npos && cut <= kPrefixBytes && cut + 1 < path.size();
  };
  if (entry.target.size() > kNameBytes) long_text('K', entry.target);
  if (!fits(entry.path)) long_text('L', entry.path);
  header(entry, type, content.size());
  deflater_->write(content);
  static constexpr char kZeros[kBlock] = {};
  if (content.size() % kBlock != 0) deflater_->write({kZeros, kBlock - content.size() % kBlock});
}

std::string TarWriter::finish() {
  const std::string end(2 * kBlock, '\0');
  deflater_->write(end);
  return deflater_->finish();
}

}  // namespace beaconry
