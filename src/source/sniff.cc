#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "source/inputs.h"
#include "source/json_record.h"
#include "source/zeek_tsv.h"

namespace beaconry {
namespace {

bool is_capture(std::string_view start) {
  if (start.size() < 4) return false;
  std::array<unsigned char, 4> m{};
  std::memcpy(m.data(), start.data(), 4);
  constexpr std::array<std::array<unsigned char, 4>, 7> kMagics{{
      {0xa1, 0xb2, 0xc3, 0xd4},  // pcap, both byte orders
      {0xd4, 0xc3, 0xb2, 0xa1},
      {0xa1, 0xb2, 0x3c, 0x4d},  // pcap with nanoseconds
      {0x4d, 0x3c, 0xb2, 0xa1},
      {0xa1, 0xb2, 0xcd, 0x34},  // Kuznetzov's variant
      {0x34, 0xcd, 0xb2, 0xa1},
      {0x0a, 0x0d, 0x0d, 0x0a},  // pcapng
  }};
  return std::find(kMagics.begin(), kMagics.end(), m) != kMagics.end();
}

void note(Sniffed& found, LogKind kind) {
  if (kind == LogKind::conn) found.has_flows = true;
  if (kind == LogKind::open_conn) found.has_open_flows = true;
  if (kind != LogKind::other && kind != LogKind::conn) found.has_names = true;
}

template <class Line>
void each_line(std::string_view text, Line&& line) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view one = text.substr(0, end);
    if (!one.empty() && one.back() == '\r') one.remove_suffix(1);
    if (!line(one, end != std::string_view::npos)) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::string_view file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Sniffed sniff_zeek_tsv(std::string_view start, std::string_view path) {
  Sniffed found;
  ZeekHeaderReader reader(file_name(path));
  each_line(start, [&](std::string_view line, bool) {
    if (!line.empty() && line[0] == '#' && reader.add(line)) {
      found.format = InputFormat::zeek_tsv;
      if (found.kind == LogKind::other) found.kind = reader.header()->kind;
      if (found.zeek_path.empty()) found.zeek_path = reader.header()->path;
      note(found, reader.header()->kind);
    }
    return true;
  });
  return found;
}

Sniffed sniff_json(std::string_view start, std::string_view path) {
  Sniffed found;
  std::set<std::string, std::less<>> keys;
  JsonRecord record;
  std::string copy;
  bool zeek = false, kind_named = false;
  int lines = 0;
  each_line(start, [&](std::string_view line, bool whole) {
    if (line.empty()) return true;
    if (!whole && lines > 0) return false;  // cut by the sniffing
    copy = line;
    if (!record.parse(copy.data(), copy.size())) return ++lines < 16;
    ++lines;
    if (record.has("event_type")) {
      found.format = InputFormat::eve;
      found.has_flows = found.has_names = true;
      return false;
    }
    LogRow row;
    record.fill(row);
    if (!row[Field::ts].empty() &&
        (!row[Field::uid].empty() || !row[Field::orig_h].empty() || !row[Field::path].empty() ||
         !row[Field::client_addr].empty())) {  // dhcp.log has neither uid nor ends
      zeek = true;
      if (!row[Field::path].empty()) {
        kind_named = true;
        if (found.zeek_path.empty()) found.zeek_path = row[Field::path];
        const auto kind = log_kind_of_path(row[Field::path]).value_or(LogKind::other);
        if (found.kind == LogKind::other) found.kind = kind;
        note(found, kind);
      }
      for (const auto key : record.keys())
        keys.emplace(key);
    }
    return true;
  });
  if (!zeek) return found;
  found.format = InputFormat::zeek_json;
  if (!kind_named) {
    const std::vector<std::string_view> names(keys.begin(), keys.end());
    auto kind = log_kind_of_fields(names);
    if (!kind) kind = log_kind_of_path(file_name(path));
    found.kind = kind.value_or(LogKind::other);
    note(found, found.kind);
  }
  return found;
}

}  // namespace

Sniffed sniff(std::string_view start, std::string_view path) {
  Sniffed found;
  if (start.empty()) {
    found.format = InputFormat::empty;
  } else if (is_capture(start)) {
    found.format = InputFormat::capture;
  } else {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (start.substr(0, 3) == kByteOrderMark) start.remove_prefix(3);
    const auto first = start.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return found;
    if (start[first] == '#') return sniff_zeek_tsv(start, path);
    if (start[first] == '{') return sniff_json(start, path);
  }
  return found;
}

}  // namespace beaconry
