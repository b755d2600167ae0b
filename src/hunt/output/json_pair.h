#pragma once
// clang-format off: encodings.h uses what stream.h declares and does not include it
#include <rapidjson/encodings.h>
#include <rapidjson/stream.h>
#include <rapidjson/writer.h>
// clang-format on

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "hunt/scored_pair.h"

namespace beaconry {

// RapidJSON's output stream in front of an ostream, 64 KiB at a time.
class JsonStream {
 public:
  using Ch = char;
  explicit JsonStream(std::ostream& out) : out_(out) {}
  ~JsonStream() { Flush(); }
  JsonStream(const JsonStream&) = delete;
  JsonStream& operator=(const JsonStream&) = delete;

  void Put(char c) {
    if (used_ == buffer_.size()) Flush();
    buffer_[used_++] = c;
  }
  void Flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(used_));
    used_ = 0;
  }

 private:
  std::ostream& out_;
  std::array<char, 65536> buffer_;
  std::size_t used_ = 0;
};

// RapidJSON's ASCII encoding finds this by the stream's namespace.
inline void PutUnsafe(JsonStream& stream, char c) {
  stream.Put(c);
}

// Members of a JSON object, escaped and finite.
class JsonWriter {
 public:
  explicit JsonWriter(std::ostream& out) : stream_(out), json_(stream_) {}

  void begin() { json_.StartObject(); }
  void begin(std::string_view key) { name(key), json_.StartObject(); }
  void end() { json_.EndObject(); }
  void begin_list(std::string_view key) { name(key), json_.StartArray(); }
  void end_list() { json_.EndArray(); }
  void end_line() {  // one document a line: the next begins anew
    stream_.Put('\n');
    json_.Reset(stream_);
  }

  void name(std::string_view key) { plain(key); }
  void text(std::string_view value);    // from an input: anything
  void plain(std::string_view ascii) {  // known to be ASCII
    json_.String(ascii.data(), static_cast<rapidjson::SizeType>(ascii.size()));
  }
  void number(double value);  // six decimals; null where it is not finite
  void whole(std::uint64_t value) { json_.Uint64(value); }
  void flag(bool value) { json_.Bool(value); }
  void null() { json_.Null(); }

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
  JsonStream stream_;
  rapidjson::Writer<JsonStream, rapidjson::UTF8<>, rapidjson::ASCII<>> json_;
};

// One scored pair as an object.
void write_pair(JsonWriter& json, const ScoredPair& pair);

}  // namespace beaconry
