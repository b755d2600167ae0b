#include "source/simulate/zeek_log.h"

#include <algorithm>
#include <charconv>

namespace beaconry::simulate {
namespace {

std::string day_and_time(Timestamp time) {
  std::string text = to_rfc3339(time).substr(0, 19);
  std::replace(text.begin(), text.end(), ':', '-');
  std::replace(text.begin(), text.end(), 'T', '-');
  return text;
}

}  // namespace

ZeekLog::ZeekLog(const std::string& folder, std::string name, std::span<const Column> columns,
                 ZeekFormat format, Timestamp start)
    : path_(folder + "/" + name + ".log"),
      name_(std::move(name)),
      columns_(columns),
      json_(format == ZeekFormat::json),
      file_(std::fopen(path_.c_str(), "wb"), std::fclose) {
  if (file_ && !json_) header(start);
}

void ZeekLog::text(std::string_view value) {
  key();
  if (json_) buffer_ += '"';
  buffer_ += value;
  if (json_) buffer_ += '"';
}

void ZeekLog::count(std::uint64_t value) {
  key();
  number(value);
}

void ZeekLog::seconds(Duration value) {
  key();
  const auto whole = static_cast<std::uint64_t>(value.count() / 1'000'000);
  number(whole);
  auto rest = static_cast<std::uint32_t>(value.count() % 1'000'000);
  char digits[7];
  digits[0] = '.';
  for (int i = 6; i > 0; --i, rest /= 10)
    digits[i] = static_cast<char>('0' + rest % 10);
  buffer_.append(digits, 7);
}

void ZeekLog::boolean(bool value) {
  key();
  buffer_ += json_ ? (value ? "true" : "false") : (value ? "T" : "F");
}

void ZeekLog::unset() {
  if (!json_) key(), buffer_ += '-';
  if (json_) ++at_;
}

void ZeekLog::list(std::string_view element, bool quoted) {
  key();
  if (!json_) {
    buffer_ += element.empty() ? "(empty)" : element;
    return;
  }
  buffer_ += '[';
  if (quoted && !element.empty()) buffer_ += '"';
  buffer_ += element;
  if (quoted && !element.empty()) buffer_ += '"';
  buffer_ += ']';
}

void ZeekLog::end_row() {
  buffer_ += json_ ? "}\n" : "\n";
  at_ = 0;
  first_ = true;
  if (buffer_.size() > (1U << 20)) flush();
}

Result<void> ZeekLog::close(Timestamp end) {
  if (file_ && !json_) buffer_ += "#close\t" + day_and_time(end) + "\n";
  flush();
  if (!file_ || failed_ || std::fflush(file_.get()) != 0) return fail_errno("write", path_);
  return {};
}

void ZeekLog::header(Timestamp start) {
  buffer_ = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" +
            name_ + "\n#open\t" + day_and_time(start) + "\n#fields";
  for (const Column& column : columns_)
    buffer_ += std::string("\t") + column.name;
  buffer_ += "\n#types";
  for (const Column& column : columns_)
    buffer_ += std::string("\t") + column.type;
  buffer_ += '\n';
}

void ZeekLog::key() {
  if (json_) {
    buffer_ += first_ ? "{\"" : ",\"";
    buffer_ += columns_[at_].name;
    buffer_ += "\":";
  } else if (!first_) {
    buffer_ += '\t';
  }
  first_ = false;
  ++at_;
}

void ZeekLog::number(std::uint64_t value) {
  char digits[20];
  buffer_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void ZeekLog::flush() {
  if (file_ && std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size()) {
    failed_ = true;
  }
  buffer_.clear();
}

}  // namespace beaconry::simulate
