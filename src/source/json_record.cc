#include "source/json_record.h"

#include <rapidjson/reader.h>

#include <algorithm>
#include <array>

namespace beaconry {

constexpr std::size_t kDeepest = 32;

// RapidJSON's events, as members. Outside an anonymous namespace for it is JsonRecord's friend.
class JsonHandler {
 public:
  explicit JsonHandler(JsonRecord& record) : record_(record) {}

  bool Null() { return started(); }
  bool Bool(bool value) { return add(value ? "true" : "false"); }
  bool String(const char* text, rapidjson::SizeType size, bool) { return add({text, size}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return add({text, size}); }
  // Never called: numbers come as they are written.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool StartObject() { return enter(true); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    keys_[depth_] = {text, size};
    if (depth_ == 1) record_.keys_.emplace_back(text, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool StartArray() { return depth_ > 0 && enter(false); }
  bool EndArray(rapidjson::SizeType) { return leave(); }

 private:
  bool started() const { return depth_ > 0; }

  // An array's elements bear the array's key, at its depth.
  bool enter(bool object) {
    if (levels_ == kDeepest) return false;
    is_object_[levels_++] = object;
    if (object) keys_[++depth_] = {};
    return true;
  }
  bool leave() {
    if (is_object_[--levels_]) --depth_;
    return true;
  }
  bool add(std::string_view value) {
    if (!started()) return false;
    record_.members_.push_back({depth_ > 1 ? keys_[depth_ - 1] : std::string_view(), keys_[depth_],
                                value, static_cast<std::uint8_t>(depth_)});
    return true;
  }

  JsonRecord& record_;
  std::array<bool, kDeepest> is_object_{};
  std::array<std::string_view, kDeepest + 1> keys_{};
  std::size_t levels_ = 0, depth_ = 0;
};

bool JsonRecord::parse(char* text, std::size_t size) {
  members_.clear();
  keys_.clear();
  text[size] = '\0';  // what the in-place stream ends at; a NUL within the text ends it early
  rapidjson::InsituStringStream stream(text);
  rapidjson::Reader reader;
  JsonHandler handler(*this);
  // RapidJSON recurses, but no deeper than the handler lets it enter; its iterative way allocates.
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
  return !reader.Parse<kFlags>(stream, handler).IsError() && stream.Tell() == size;
}

bool JsonRecord::has(std::string_view key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

std::string_view JsonRecord::find(std::string_view key) const {
  for (const auto& member : members_) {
    if (member.depth == 1 && member.key == key) return member.value;
  }
  return {};
}

std::string_view JsonRecord::find(std::string_view parent, std::string_view key) const {
  for (const auto& member : members_) {
    if (member.depth == 2 && member.key == key && member.parent == parent) return member.value;
  }
  return {};
}

std::string_view JsonRecord::find_deep(std::string_view parent, std::string_view key) const {
  for (const auto& member : members_) {
    if (member.key == key && member.parent == parent) return member.value;
  }
  return {};
}

std::vector<std::string_view> JsonRecord::keys() const {
  return keys_;
}

void JsonRecord::fill(LogRow& row) const {
  row.clear();
  for (const auto& member : members_) {
    if (member.depth == 1) {
      const auto field = field_of_name(member.key);
      if (!field) continue;
      if (*field == Field::answers) row.answers.push_back(member.value);
      if (row[*field].empty()) row[*field] = member.value;
    } else if (member.depth == 2 && member.parent == "id") {
      const Field ends[] = {Field::orig_h, Field::orig_p, Field::resp_h, Field::resp_p};
      const std::string_view names[] = {"orig_h", "orig_p", "resp_h", "resp_p"};
      for (std::size_t i = 0; i < 4; ++i) {
        if (member.key == names[i] && row[ends[i]].empty()) row[ends[i]] = member.value;
      }
    }
  }
}

}  // namespace beaconry
