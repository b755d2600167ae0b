#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/privileges.h"
#include "base/result.h"
#include "base/status_socket.h"
#include "exporter.h"
#include "live_source.h"
#include "settings.h"
#include "spool/spool.h"
#include "uplink/edge_identity.h"
#include "uplink/sender.h"

namespace beaconry {

// A running collector: source → exporter → spool → sender, on one thread but for the sender's.
class Collector {
 public:
  // Opens everything, then gives up the privileges that are not needed any more. SIGINT, SIGTERM
  // and SIGHUP are this thread's from here on.
  static Result<std::unique_ptr<Collector>> start(CollectorArguments arguments,
                                                  CollectorSettings settings);

  // Until SIGINT or SIGTERM: then flows are finished, the last batch is on disk, and up to three
  // seconds go into sending what waits.
  void run();

 private:
  Collector(CollectorArguments arguments, CollectorSettings settings)
      : arguments_(std::move(arguments)), settings_(std::move(settings)) {}
  Result<void> open();
  Result<void> give_up_privileges(const Account& account);
  Result<void> read_token();
  Result<void> start_sender();

  void handle_signals();
  void reload();
  void export_now();
  void finish();
  std::vector<EdgeCounter> counters() const;
  std::string status() const;
  void log_counters() const;

  CollectorArguments arguments_;
  CollectorSettings settings_;
  Fd signals_;
  EdgeIdentity identity_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<StatusSocket> socket_;
  std::unique_ptr<LiveSource> source_;
  std::unique_ptr<Sender> sender_;
  std::string server_, token_;
  Timestamp started_{};
  bool stopping_ = false;
};

}  // namespace beaconry
