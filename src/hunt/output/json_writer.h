#pragma once
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string_view>

namespace beaconry {

// Streams JSON to an ostream through one buffer of fixed size: ASCII only, numbers finite or null,
// any bytes as text. What is opened must be ended by the caller. Several times faster on whole
// reports than a general writer, as keys are copied and numbers have six decimals.
class JsonWriter {
 public:
  explicit JsonWriter(std::ostream& out);
  ~JsonWriter() { flush(); }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin() { open('{'); }
  void begin(std::string_view key) { name(key), open('{'); }
  void end() { close('}'); }
  void begin_list() { open('['); }
  void begin_list(std::string_view key) { name(key), open('['); }
  void end_list() { close(']'); }
  void end_line() { put('\n'), comma_ = false; }  // the document is over; another may begin

  void name(std::string_view key);     // of the value that comes next; plain as below
  void key(std::string_view value);    // a name from an input: anything
  void text(std::string_view value);   // from an input: anything
  void plain(std::string_view value);  // known to be ASCII that needs no escape
  void number(double value);           // six decimals; null where it is not finite
  void whole(std::uint64_t value);
  void flag(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }
  void raw(std::string_view value);  // JSON already: as it stands

  void text(std::string_view key, std::string_view value) { name(key), text(value); }
  void plain(std::string_view key, std::string_view value) { name(key), plain(value); }
  void number(std::string_view key, double value) { name(key), number(value); }
  void whole(std::string_view key, std::uint64_t value) { name(key), whole(value); }
  void flag(std::string_view key, bool value) { name(key), flag(value); }
  void text_or_null(std::string_view key, std::string_view value) {
    name(key);
    value.empty() ? null() : text(value);
  }
  void whole_or_null(std::string_view key, const std::optional<std::uint64_t>& value) {
    name(key);
    value ? whole(*value) : null();
  }

 private:
  void copy(std::string_view bytes);
  void put(char c);
  void open(char bracket);
  void close(char bracket) { put(bracket), comma_ = true; }
  void separate();
  void escape(std::string_view value);
  void flush();

  std::ostream& out_;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
  bool comma_ = false;  // a value stands before the next one
};

}  // namespace beaconry
