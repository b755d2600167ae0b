#include "source/checkpoint_file.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "source/flow_names.h"

namespace beaconry {
namespace {

constexpr std::string_view kFirstLine = "beaconry-checkpoint 2\n";
constexpr std::size_t kMostBytes = std::size_t{2} << 30;

// The incarnation in a line. Each entry: its number, its length, a newline, its text, a newline;
// then a hash of it all.
void append(std::string& out, std::uint64_t number, std::string_view checkpoint) {
  out += std::to_string(number) + ' ' + std::to_string(checkpoint.size()) + '\n';
  out.append(checkpoint) += '\n';
}

bool take_number(std::string_view& text, char end, std::uint64_t& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop == text.data() + text.size() || *stop != end) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
  return true;
}

}  // namespace

Result<std::optional<std::string>> CheckpointFile::load(std::uint64_t next,
                                                        std::string_view incarnation) {
  incarnation_ = incarnation;
  appended_.reset();
  pending_.reset();
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) return std::optional<std::string>();
  const auto text = read_small_file(path_, kMostBytes);
  if (!text) return tl::unexpected<Error>(text.error());
  const auto damaged = [&] {
    return fail(ErrorKind::malformed, "read", path_,
                "damaged; remove it to follow the logs from their beginning again");
  };
  std::string_view rest = *text;
  const auto last = rest.size() < 2 ? std::string_view::npos : rest.rfind('\n', rest.size() - 2);
  if (!rest.starts_with(kFirstLine) || rest.back() != '\n' || last == std::string_view::npos) {
    return damaged();
  }
  std::uint64_t hash = 0;
  std::string_view tail = rest.substr(last + 1);
  rest = rest.substr(0, last + 1);
  if (!take_number(tail, '\n', hash) || hash != FlowNames::hash(rest)) return damaged();
  rest.remove_prefix(kFirstLine.size());
  const auto line = rest.find('\n');
  if (line == std::string_view::npos) return damaged();
  const std::string_view written_for = rest.substr(0, line);
  const bool same = written_for == incarnation;
  rest.remove_prefix(line + 1);
  while (!rest.empty()) {
    Entry entry;
    std::uint64_t size = 0;
    if (!take_number(rest, ' ', entry.number) || !take_number(rest, '\n', size) ||
        rest.size() < size + 1) {
      return damaged();
    }
    entry.checkpoint = rest.substr(0, size);
    rest.remove_prefix(size + 1);
    // The later of the two is written before its batch: perhaps that never came into the log.
    if (!same || entry.number < next || !appended_) appended_ = std::move(entry);
  }
  if (!same && appended_) {
    log_warning("The spool is not the one that " + path_ +
                " was written beside: the logs are followed from where that left them, and batches "
                "that were not sent by then are missing");
    appended_->number = 0;  // before all that the log will hold
  }
  if (!appended_ || appended_->number >= next) {
    appended_.reset();
    return std::optional<std::string>();
  }
  return std::optional<std::string>(appended_->checkpoint);
}

Result<void> CheckpointFile::store(std::string_view checkpoint, std::uint64_t number) {
  if (pending_ && pending_->number < number) appended_ = std::move(pending_);
  pending_ = Entry{number, std::string(checkpoint)};
  std::string text(kFirstLine);
  text += incarnation_ + '\n';
  if (appended_) append(text, appended_->number, appended_->checkpoint);
  append(text, pending_->number, pending_->checkpoint);
  text += std::to_string(FlowNames::hash(text)) + '\n';
  return replace_file(path_, text);
}

}  // namespace beaconry
