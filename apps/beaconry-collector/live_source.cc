#include "live_source.h"

#include <linux/capability.h>

#include <optional>
#include <utility>

#include "base/log.h"
#include "capture/capture.h"
#include "source/checkpoint_file.h"
#include "source/follow.h"

namespace beaconry {
namespace {

class PacketSource : public LiveSource {
 public:
  explicit PacketSource(std::unique_ptr<Capture> capture) : capture_(std::move(capture)) {}

  std::string_view mode() const override { return capture_->mode(); }
  std::chrono::milliseconds pause() const override { return std::chrono::milliseconds{100}; }
  void drain(Timestamp now) override { capture_->drain(now); }
  void report(Timestamp now) override { capture_->report(now); }
  void finish(Timestamp now) override { capture_->finish(now); }

  std::vector<EdgeCounter> counters() const override {
    const CaptureCounters all = capture_->counters();
    std::vector<EdgeCounter> list{{"flows", "", all.flows},
                                  {"flows_opened", "", all.flows_opened},
                                  {"flows_closed", "", all.flows_closed},
                                  {"flows_evicted", "", all.flows_evicted},
                                  {"names_given_up", "", all.names_given_up}};
    for (const InterfaceCounters& one : all.interfaces) {
      struct Field {
        const char* name;
        std::uint64_t value;
      };
      for (const Field& field :
           {Field{"packets", one.packets}, Field{"tcp", one.tcp}, Field{"udp", one.udp},
            Field{"icmp", one.icmp}, Field{"other", one.other}, Field{"not_ip", one.not_ip},
            Field{"unparsable", one.unparsable}, Field{"later_fragments", one.later_fragments},
            Field{"icmp_errors", one.icmp_errors}, Field{"strays", one.strays},
            Field{"not_tracked", one.not_tracked}, Field{"table_full", one.table_full},
            Field{"ring_drops", one.ring_drops}, Field{"kernel_drops", one.kernel_drops}}) {
        list.push_back({field.name, one.interface, field.value});
      }
    }
    return list;
  }

  std::vector<unsigned> capabilities() const override {
    if (capture_->mode() == "af_packet") return {};
    return {CAP_NET_ADMIN, CAP_BPF};
  }

 private:
  std::unique_ptr<Capture> capture_;
};

class LogSource : public LiveSource {
 public:
  static Result<std::unique_ptr<LiveSource>> open(const CollectorSettings& settings, Spool& spool,
                                                  Exporter& exporter) {
    auto options = parse_follow_source(settings.source);
    if (!options) return tl::unexpected<Error>(std::move(options.error()));
    options->networks = settings.capture.networks;
    options->burst_gap = settings.capture.burst_gap;
    auto source = std::unique_ptr<LogSource>(
        new LogSource(exporter, settings.state_folder + "/checkpoint",
                      options->kind == FollowKind::zeek ? "zeek" : "suricata", settings.source));
    auto checkpoint = source->file_.load(spool.next(), spool.incarnation());
    if (!checkpoint) return tl::unexpected<Error>(std::move(checkpoint.error()));
    auto follower = LogFollower::open(
        *options, *checkpoint ? std::optional<std::string_view>(**checkpoint) : std::nullopt);
    if (!follower) return tl::unexpected<Error>(std::move(follower.error()));
    source->follower_ = std::move(*follower);
    log_info("Following " + settings.source +
             (*checkpoint ? " from where it was left" : " from its beginning"));
    return std::unique_ptr<LiveSource>(std::move(source));
  }

  ~LogSource() override { exporter_.set_before_append(nullptr); }

  std::string_view mode() const override { return mode_; }
  std::chrono::milliseconds pause() const override {
    return std::chrono::milliseconds{more_ ? 0 : 1000};
  }
  // The logs keep what the spool does not take: reading on would move the checkpoint past it.
  void drain(Timestamp now) override {
    more_ = !exporter_.is_waiting() && follower_->poll(exporter_, now);
  }
  void report(Timestamp /*now*/) override {}
  void finish(Timestamp now) override { drain(now); }

  std::vector<EdgeCounter> counters() const override {
    const FollowCounters all = follower_->counters();
    return {{"flows", place_, all.flows},
            {"bytes", place_, all.bytes},
            {"bad_lines", place_, all.bad_lines},
            {"rotations", place_, all.rotations},
            {"truncations", place_, all.truncations},
            {"files_lost", place_, all.files_lost},
            {"names_forgotten", place_, all.names_forgotten},
            {"files_open", place_, all.files_open}};
  }
  std::vector<unsigned> capabilities() const override { return {}; }

 private:
  LogSource(Exporter& exporter, std::string checkpoint, std::string mode, std::string place)
      : exporter_(exporter),
        file_(std::move(checkpoint)),
        mode_(std::move(mode)),
        place_(std::move(place)) {
    exporter_.never_cut_within_calls();
    exporter_.set_before_append([this](std::uint64_t number) {
      if (auto stored = file_.store(follower_->checkpoint(), number); !stored) {
        log_error("A restart may repeat events: " + stored.error().message());
      }
    });
  }

  Exporter& exporter_;
  CheckpointFile file_;
  std::string mode_, place_;
  std::unique_ptr<LogFollower> follower_;
  bool more_ = false;
};

}  // namespace

Result<std::unique_ptr<LiveSource>> open_source(const CollectorSettings& settings, Spool& spool,
                                                Exporter& exporter) {
  if (!settings.is_live()) return LogSource::open(settings, spool, exporter);
  auto capture = open_capture(settings.capture, exporter);
  if (!capture) return tl::unexpected<Error>(std::move(capture.error()));
  return std::unique_ptr<LiveSource>(std::make_unique<PacketSource>(std::move(*capture)));
}

}  // namespace beaconry
