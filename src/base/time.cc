#include "base/time.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace beaconry {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  out = value;
  return true;
}

// Eight ASCII digits at once, or nothing. Three multiplications instead of eight that wait for each
// other; the bytes are taken as little-endian.
bool eight_digits(std::uint64_t bytes, std::uint32_t& value) {
  // Each byte is '0'..'9' if its high half is 3, also after adding 6.
  if (((bytes & 0xf0f0f0f0f0f0f0f0) | (((bytes + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) !=
      0x3333333333333333) {
    return false;
  }
  bytes = (bytes & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  bytes = (bytes & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  value = static_cast<std::uint32_t>((bytes & 0x0000ffff0000ffff) * 42949672960001 >> 32);
  return true;
}

// "1591367999.305988" and "0.305988": what nearly every time in a log looks like. Not by an
// optional: copying one costs more than the parsing.
bool parse_with_micros(std::string_view text, std::int64_t& out) {
  if constexpr (std::endian::native != std::endian::little) return false;
  if (text.size() < 8 || text.size() > 17 || text[text.size() - 7] != '.') return false;
  std::uint64_t bytes = 0;
  std::uint32_t micros = 0;
  std::memcpy(&bytes, text.data() + text.size() - 8, 8);
  bytes = (bytes & ~std::uint64_t{0xffff}) | 0x3030;  // "00305988"
  if (!eight_digits(bytes, micros)) return false;
  std::int64_t whole = 0;
  std::size_t at = 0;
  const std::size_t point = text.size() - 7;
  if (point >= 8) {
    std::uint32_t high = 0;
    std::memcpy(&bytes, text.data(), 8);
    if (!eight_digits(bytes, high)) return false;
    whole = high;
    at = 8;
  }
  for (; at < point; ++at) {
    if (text[at] < '0' || text[at] > '9') return false;
    whole = whole * 10 + (text[at] - '0');
  }
  out = whole * 1'000'000 + micros;
  return out <= kLatest.time_since_epoch().count();
}

// "Z", "+01:00", "+0100" or nothing, as seconds east of UTC.
bool zone(std::string_view text, int& seconds) {
  seconds = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  if (text[0] != '+' && text[0] != '-') return false;
  int hours = 0, minutes = 0;
  if (!digits(text, 1, 2, hours)) return false;
  const std::size_t at = text.size() > 3 && text[3] == ':' ? 4 : 3;
  if (!digits(text, at, 2, minutes) || at + 2 != text.size()) return false;
  seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

std::string to_rfc3339(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(time - day)};
  // By hand: reports write two of these for each pair, and printf takes most of a microsecond.
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto write = [&](std::size_t at, std::size_t count, long value) {
    for (std::size_t i = at + count; i-- > at; value /= 10)
      text[i] = static_cast<char>('0' + value % 10);
  };
  write(0, 4, static_cast<int>(date.year()));
  write(5, 2, static_cast<long>(static_cast<unsigned>(date.month())));
  write(8, 2, static_cast<long>(static_cast<unsigned>(date.day())));
  write(11, 2, clock.hours().count());
  write(14, 2, clock.minutes().count());
  write(17, 2, clock.seconds().count());
  write(20, 3, clock.subseconds().count());
  return text;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!digits(text, 0, 4, y) || !digits(text, 5, 2, mo) || !digits(text, 8, 2, d)) {
    return std::nullopt;
  }
  if (text[4] != '-' || text[7] != '-') return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return std::nullopt;
  Timestamp time{sys_days{date}};
  if (text.size() > 10) {
    if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
    if (!digits(text, 11, 2, h) || !digits(text, 14, 2, mi) || !digits(text, 17, 2, s)) {
      return std::nullopt;
    }
    if (text[13] != ':' || text[16] != ':' || h > 23 || mi > 59 || s > 60) return std::nullopt;
    std::size_t at = 19;
    int micros = 0;
    if (at < text.size() && text[at] == '.') {
      int scale = 100'000;
      for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
        micros += (text[at] - '0') * scale;
      }
    }
    int east = 0;
    if (!zone(text.substr(at), east)) return std::nullopt;
    time += hours{h} + minutes{mi} + seconds{s - east} + microseconds{micros};
  }
  if (time < kEarliest || time > kLatest) return std::nullopt;
  return time;
}

std::optional<Timestamp> parse_epoch_seconds(std::string_view text) {
  std::int64_t usual = 0;
  if (parse_with_micros(text, usual)) return Timestamp{Duration{usual}};
  std::int64_t whole = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (at > 11) return std::nullopt;
    whole = whole * 10 + (text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  std::int64_t micros = 0;
  if (at < text.size()) {
    if (text[at] != '.') return std::nullopt;
    std::int64_t scale = 100'000;
    for (++at; at < text.size(); ++at, scale /= 10) {
      if (text[at] < '0' || text[at] > '9') return std::nullopt;
      micros += (text[at] - '0') * scale;
    }
  }
  const Timestamp time{Duration{whole * 1'000'000 + micros}};
  if (time > kLatest) return std::nullopt;
  return time;
}

std::string to_words(Duration length) {
  const double seconds = to_seconds(length);
  char text[48];
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const auto part = [](std::int64_t value, std::int64_t unit) {
    return static_cast<long long>(value / unit);
  };
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.0fms", seconds * 1000);
  } else if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lldm %llds", part(whole, 60), part(whole % 60, 1));
  } else if (whole < 86'400) {
    std::snprintf(text, sizeof text, "%lldh %lldm", part(whole, 3600), part(whole % 3600, 60));
  } else {
    std::snprintf(text, sizeof text, "%lldd %lldh", part(whole, 86'400),
                  part(whole % 86'400, 3600));
  }
  return text;
}

double to_seconds(Duration length) {
  return static_cast<double>(length.count()) / 1e6;
}
double to_seconds(Timestamp time) {
  return to_seconds(time.time_since_epoch());
}

}  // namespace beaconry
