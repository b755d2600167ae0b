#include "source/inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace beaconry {
namespace {

constexpr const char* kReadOnce = "the same file as an earlier input: read once";

using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

class Finder {
 public:
  explicit Finder(ReadReport& report) : report_(report) {}

  void add(const std::string& path, bool named) {
    if (path == "-") {
      if (std::exchange(standard_input_used_, true)) {
        report_.refuse(kReadOnce, Place{"standard input"});
        return;
      }
      add_stream(path, open_stored(path, &report_));
      return;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      const int code = errno;
      report_.fail_input(path, std::generic_category().message(code));
      return;
    }
    const FileId id{info.st_dev, info.st_ino};
    if (S_ISDIR(info.st_mode)) {
      if (folders_.insert(id).second) add_folder(path, named);
      return;
    }
    if (S_ISREG(info.st_mode)) {
      if (!files_.insert(id).second) {
        report_.refuse(kReadOnce, Place{path});
        return;
      }
      add_file(path, named, static_cast<std::uint64_t>(info.st_size));
      return;
    }
    if (!named) {  // opening a FIFO of unknown purpose could block for ever
      report_.refuse("not a regular file", Place{path});
      return;
    }
    add_stream(path, open_stored(path, &report_));
  }

  std::vector<Input> take() {
    if (inputs_.empty()) {
      for (const auto& [path, kind] : unneeded_) {
        report_.fail_input(path, "a Zeek " + kind + " log holds neither flows nor names of them");
      }
    }
    return std::move(inputs_);
  }

 private:
  void add_folder(const std::string& path, bool named) {
    std::vector<std::string> entries;
    std::error_code error;
    for (std::filesystem::directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
      if (at->path().filename().native().front() != '.') entries.push_back(at->path().native());
    }
    if (error) report_.fail_input(path, error.message());
    if (entries.empty() && named && !error) report_.fail_input(path, "the folder is empty");
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries)
      add(entry, false);
  }

  // Reads what sniffing needs; whole or until an error, which is then told if nothing came.
  bool read_start(ByteStream& stream, std::string& start) {
    start.resize(kSniffBytes);
    std::size_t size = 0;
    while (size < start.size()) {
      const auto got = stream.read(std::span(start.data() + size, start.size() - size));
      if (!got && size == 0) {
        report_.fail_input(stream.name(), got.error().cause);
        return false;
      }
      if (!got || *got == 0) break;
      size += *got;
    }
    start.resize(size);
    return true;
  }

  // True if there is something in it to read.
  bool accept(const Input& input, bool named) {
    const auto refuse = [&](std::string_view reason) {
      if (named) {
        report_.fail_input(input.path, std::string(reason));
      } else {
        report_.refuse(reason, Place{input.path});
      }
      return false;
    };
    switch (input.content.format) {
      case InputFormat::unknown:
        return refuse("not a capture or a known log");
      case InputFormat::empty:
        return refuse("empty file");
      case InputFormat::zeek_tsv:
      case InputFormat::zeek_json:
        if (!input.content.has_flows && !input.content.has_names) {
          unneeded_.emplace_back(input.path, input.content.zeek_path);
          return false;
        }
        return true;
      case InputFormat::capture:
      case InputFormat::eve:
        break;
    }
    return true;
  }

  void add_file(const std::string& path, bool named, std::uint64_t size) {
    std::string stored, start;
    // Sniffed bytes are read again, so they do not count as progress.
    const auto raw = open_stored(path, nullptr);
    stored.resize(8);
    std::size_t magic = 0;
    const auto got = raw->read(std::span(stored.data(), stored.size()));
    if (got) magic = *got;
    stored.resize(magic);
    const auto content = decompress(open_stored(path, nullptr));
    if (!read_start(*content, start)) return;
    Input input;
    input.path = path;
    input.size = size;
    input.content = sniff(start, path);
    input.plain = start.substr(0, magic) == stored;
    if (accept(input, named)) inputs_.push_back(std::move(input));
  }

  void add_stream(const std::string& path, std::unique_ptr<ByteStream> stored) {
    auto content = decompress(std::move(stored));
    std::string start;
    if (!read_start(*content, start)) return;
    Input input;
    input.path = content->name();
    input.content = sniff(start, path);
    input.stream = join_prefix(std::move(start), std::move(content));
    if (accept(input, true)) inputs_.push_back(std::move(input));
  }

  ReadReport& report_;
  std::vector<Input> inputs_;
  std::vector<std::pair<std::string, std::string>> unneeded_;
  std::set<FileId> files_, folders_;
  bool standard_input_used_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> open_input(Input& input, ReadReport* progress) {
  if (input.stream) return std::move(input.stream);
  return decompress(open_stored(input.path, progress));
}

std::vector<Input> find_inputs(std::span<const std::string> paths, ReadReport& report) {
  Finder finder(report);
  for (const auto& path : paths)
    finder.add(path, true);
  return finder.take();
}

}  // namespace beaconry
