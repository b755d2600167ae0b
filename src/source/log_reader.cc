#include "source/log_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "source/line_chunks.h"
#include "source/log_parser.h"

namespace beaconry {
namespace {

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// One log while it is read. Chunks are numbered; a thread takes the next one, scans it, waits until
// the chunks before it are scanned (never until they are parsed), and parses. So the chunks of a
// file are parsed side by side though lines are numbered and headers may change.
class LogFile {
 public:
  LogFile(Input& input, const LogReading& reading)
      : input_(input), reading_(reading), position_{0, ZeekHeaderReader(file_name(input.path))} {}

  const Sniffed& content() const { return input_.content; }

  // The next chunk, scanned. False when there is none; a failure is in the report then.
  bool next(LineChunk& chunk, ScannedChunk& scanned) {
    std::uint64_t number = 0;
    bool last = false;
    {
      std::unique_lock lock(reading_mutex_);
      if (done_ || !open()) return false;
      number = chunks_taken_;
      if (fd_) {
        last = (number + 1) * reading_.chunk_bytes >= size_;
        done_ = last;
      } else {
        const auto more = lines_->next(chunk);
        if (!more) fail(more.error().cause);
        if (!more || !*more) {
          done_ = true;
          lines_.reset();
          stream_.reset();
          return false;
        }
      }
      ++chunks_taken_;
    }
    if (fd_) {
      const std::uint64_t offset = number * reading_.chunk_bytes;
      const auto got = read_lines(fd_.get(), input_.path, offset, reading_.chunk_bytes, chunk);
      if (!got) fail(got.error().cause);
      reading_.report.count_bytes(
          std::min<std::uint64_t>(reading_.chunk_bytes, size_ - std::min(size_, offset)));
    }
    std::unique_lock lock(scan_mutex_);
    scanned_.wait(lock, [&] { return chunks_scanned_ == number; });
    scanned = scan_chunk(content().format, chunk, position_);
    ++chunks_scanned_;
    lock.unlock();
    scanned_.notify_all();
    return true;
  }

  void add(const LogParser::Outcome& outcome) {
    const std::lock_guard lock(scan_mutex_);
    used_ += outcome.used;
    bad_.merge(outcome.bad);
    reading_.report.count_records(outcome.flows);
  }

  // After all threads are done.
  void report() const {
    if (used_ > 0) reading_.report.count_input_read();
    if (used_ == 0 && position_.header.header() && position_.header.header()->missing) {
      reading_.report.fail_input(
          input_.path, "the log has no column " +
                           std::string(name_of_field(*position_.header.header()->missing)));
    }
    bad_.report_to(reading_.report, input_.path);
  }

 private:
  bool open() {
    if (fd_ || lines_) return true;
    if (input_.plain) {
      auto opened = Fd::open_for_reading(input_.path);
      struct stat info {};
      if (opened && ::fstat(opened->get(), &info) == 0) {
        size_ = static_cast<std::uint64_t>(info.st_size);
        fd_ = std::move(*opened);
        done_ = size_ == 0;
        return !done_;
      }
      fail(opened ? "its size cannot be told" : opened.error().cause);
      done_ = true;
      return false;
    }
    auto stream = open_input(input_, &reading_.report);
    if (!stream) {
      done_ = true;
      return false;
    }
    stream_ = read_ahead(std::move(stream));
    lines_ = std::make_unique<StreamLines>(*stream_, reading_.chunk_bytes);
    return true;
  }

  void fail(std::string reason) { reading_.report.fail_input(input_.path, std::move(reason)); }

  Input& input_;
  const LogReading& reading_;

  std::mutex reading_mutex_;  // guards taking the next chunk
  Fd fd_;
  std::uint64_t size_ = 0;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<StreamLines> lines_;
  std::uint64_t chunks_taken_ = 0;
  bool done_ = false;

  std::mutex scan_mutex_;  // guards what follows
  std::condition_variable scanned_;
  std::uint64_t chunks_scanned_ = 0;
  LogPosition position_;
  std::uint64_t used_ = 0;
  BadLines bad_;
};

class LogRun {
 public:
  LogRun(const LogReading& reading, LogPass pass, bool in_order, std::span<Input*> inputs)
      : pass_(pass), in_order_(in_order) {
    for (Input* input : inputs)
      files_.push_back(std::make_unique<LogFile>(*input, reading));
  }

  // One thread's part.
  void work(const LogReading& reading, FlowSink& sink) {
    LogParser parser(reading, sink);
    LineChunk chunk;
    for (std::size_t i = next_file_++; i < files_.size(); i = next_file_++)
      finish(*files_[i], parser, chunk);
    if (in_order_) return;
    for (auto& file : files_)  // what others began but have not finished
      finish(*file, parser, chunk);
  }

  void report() const {
    for (const auto& file : files_)
      file->report();
  }

 private:
  void finish(LogFile& file, LogParser& parser, LineChunk& chunk) const {
    ScannedChunk scanned;
    while (file.next(chunk, scanned))
      file.add(parser.parse(file.content(), pass_, chunk, scanned));
  }

  LogPass pass_;
  bool in_order_;
  std::vector<std::unique_ptr<LogFile>> files_;
  std::atomic<std::size_t> next_file_{0};
};

}  // namespace

void read_logs(const LogReading& reading, LogPass pass, bool in_order, std::span<Input*> inputs) {
  if (inputs.empty() || reading.sinks.empty()) return;
  LogRun run(reading, pass, in_order, inputs);
  std::vector<std::thread> threads;
  for (FlowSink* sink : reading.sinks.subspan(1))
    threads.emplace_back([&run, &reading, sink] { run.work(reading, *sink); });
  run.work(reading, *reading.sinks.front());
  for (auto& thread : threads)
    thread.join();
  run.report();
}

}  // namespace beaconry
