#include "faults/collector.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "faults/server.h"

namespace beaconry::faults {

GrowingLog::GrowingLog(const std::string& folder) : folder_(folder) {
  std::filesystem::create_directory(folder);
  open();
}

void GrowingLog::add(std::mt19937& random) {
  char line[256];
  const auto us = now().time_since_epoch().count();
  std::snprintf(line, sizeof line,
                "%lld.%06lld\tC%llu\t10.0.0.%llu\t%llu\t203.0.113.9\t443\ttcp\tssl\t0.5\t100"
                "\t200\tSF\n",
                static_cast<long long>(us / 1'000'000), static_cast<long long>(us % 1'000'000),
                static_cast<unsigned long long>(lines_),
                static_cast<unsigned long long>(1 + lines_ % kPairs),
                static_cast<unsigned long long>(1024 + lines_ % 60'000));
  const std::string_view text(line);
  const std::size_t cut = random() % 4 == 0 ? random() % text.size() : 0;
  out_ << text.substr(0, cut);
  if (cut > 0) out_.flush();
  out_ << text.substr(cut);
  out_.flush();
  ++lines_;
}

void GrowingLog::rotate() {
  out_.close();
  std::filesystem::rename(folder_ + "/conn.log",
                          folder_ + "/conn." + std::to_string(++rotations_) + ".log");
  open();
}

void GrowingLog::open() {
  out_.open(folder_ + "/conn.log", std::ios::binary);
  out_ << "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
          "#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t"
          "service\tduration\torig_bytes\tresp_bytes\tconn_state\n#types\ttime\tstring\taddr\t"
          "port\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n";
  out_.flush();
}

Collector::Collector(const std::string& folder, const std::string& url) : folder_(folder) {
  write_file(folder + "/collector.yaml",
             "data_plane:\n  source: zeek:" + folder + "/zeek\n  export_interval: 0.1\n" +
                 "  control_plane_url: " + url + "\n  name: follower\n  state_dir: " + folder +
                 "/collector\n  socket: " + folder + "/run/socket\n");
}

void Collector::begin(std::map<std::string, std::string> environment) {
  // The leak check starts a tracer, which a restricted process may not.
  environment["ASAN_OPTIONS"] = "detect_leaks=0";
  child_ = std::make_unique<Child>(
      std::vector<std::string>{BEACONRY_COLLECTOR, "-c", folder_ + "/collector.yaml"}, log(),
      environment);
}

void Collector::end() {
  EXPECT_EQ(child_->end(), 0) << end_of(log());
  child_.reset();
}

}  // namespace beaconry::faults
