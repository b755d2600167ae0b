#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "source/simulate/zeek_writer.h"

namespace beaconry::simulate {

struct Column {
  const char* name;
  const char* type;
};

// One Zeek log being written, as TSV or JSON lines. The values of a row come in the order of the
// columns, then end_row(). Texts need no escaping: they are the simulator's own. What could not be
// written is told by close().
class ZeekLog {
 public:
  ZeekLog(const std::string& folder, std::string name, std::span<const Column> columns,
          ZeekFormat format, Timestamp start);

  void text(std::string_view value);
  void count(std::uint64_t value);
  void seconds(Duration value);
  void boolean(bool value);
  void unset();
  // A vector or set of one element, or an empty one.
  void list(std::string_view element, bool quoted = true);
  void end_row();
  Result<void> close(Timestamp end);

 private:
  void header(Timestamp start);
  void key();
  void number(std::uint64_t value);
  void flush();

  std::string path_;
  std::string name_;
  std::span<const Column> columns_;
  bool json_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool first_ = true;
  bool failed_ = false;
};

}  // namespace beaconry::simulate
