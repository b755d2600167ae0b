#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace beaconry {

// Text from an input made harmless for a terminal: control characters, escapes, bidirectional
// overrides and invalid UTF-8 become \xNN; printable UTF-8 stays.
std::string terminal_safe(std::string_view text);

// What an input says, for an error: the same in quotes, of long texts the first 60 bytes and "...".
std::string in_quotes(std::string_view text);

// The same for HTML element content and quoted attributes.
std::string html_safe(std::string_view text);

// Valid UTF-8 with every invalid byte replaced by U+FFFD, for JSON.
std::string utf8_valid(std::string_view text);

// Bytes of the UTF-8 character that begins a text that is not empty, and the character; 0 where the
// bytes are none (RFC 3629).
std::size_t utf8_length(std::string_view text, std::uint32_t& code_point);

std::string with_thousands(std::uint64_t value);  // 1440 -> "1,440"
std::string bytes_in_words(double bytes);         // 1536 -> "1.5 KiB"
std::string ascii_lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

// A whole text as a number: no sign, no blanks, no overflow.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
// A whole text as a finite number: sign, decimals and exponent allowed.
std::optional<double> parse_number(std::string_view text);
// "90", "90s", "5m", "12h", "3d", "2w" as seconds.
std::optional<double> parse_duration_seconds(std::string_view text);
// "4096", "64K", "512M", "2G", "1T", also "64KB", "64KiB", as bytes; the units are powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);
// The shortest text that parse_size() reads as this: "512M".
std::string size_text(std::uint64_t bytes);

// How deep a JSON text's lists and objects lie in each other: what is checked before a parser or
// writer that calls itself gets hold of a foreign one. Of no JSON at least as much.
std::size_t json_depth(std::string_view json);

// The candidate nearest to a misspelt word, or empty: for "did you mean".
std::string_view nearest_word(std::string_view word,
                              const std::vector<std::string_view>& candidates);

}  // namespace beaconry
