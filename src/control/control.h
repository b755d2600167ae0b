#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alert/alert_queue.h"
#include "base/result.h"
#include "base/time.h"
#include "config/document.h"
#include "control/access.h"
#include "control/alerts.h"
#include "control/analysis.h"
#include "control/audit.h"
#include "control/authority.h"
#include "control/beacons.h"
#include "control/config_history.h"
#include "control/coverage.h"
#include "control/edges.h"
#include "control/events.h"
#include "control/homes.h"
#include "control/ingest.h"
#include "control/instrument_events.h"
#include "control/leaks.h"
#include "control/login_guard.h"
#include "control/metrics.h"
#include "control/probes.h"
#include "control/sessions.h"
#include "control/tokens.h"
#include "control/triage.h"
#include "control/users.h"
#include "fleet/fleet.h"
#include "http/server.h"
#include "hunt/live_hunt.h"
#include "spool/spool.h"
#include "store/database.h"

namespace beaconry {

class Api;
class ImageStore;

// The server: everything it holds, made in the order in which it depends on each other, and its
// listeners. Handlers are given this. Parts are safe to call from any thread.
class Control {
 public:
  struct Options {
    ConfigDocument file;
    bool insecure = false;
    std::function<Timestamp()> clock;
    std::function<bool()> proceed;  // asked while the journal is read again: false gives up
  };

  // Opens what is on disk and reads the journal again; nobody is served yet.
  static Result<std::unique_ptr<Control>> open(Options options);
  ~Control();

  // Listens and analyses. Words for the operator: where, and who may come.
  Result<std::vector<std::string>> start();
  void stop();
  // The configuration file as it is now. What needs a restart is told in the words.
  Result<std::vector<std::string>> reload(ConfigDocument file);
  // Serves with the certificate as it is on disk, made anew if it ends soon: to be asked once a
  // day.
  Result<void> renew_certificate();
  // Makes hunt, sinks and keys what the configuration says.
  Result<void> apply_config();

  // Keys that differ and are read, in full or by a part, at start only; empty: none.
  static std::string read_at_start(const HuntConfig& before, const HuntConfig& after);

  Timestamp now() const { return clock_(); }
  Timestamp started() const { return started_; }
  std::vector<std::string> endpoints() const;
  std::string url() const;  // by which others may reach the first listener, if only of this machine
  bool has_tls() const { return tls_; }  // a listener that takes https
  HttpServer::Counters http_counters() const;
  unsigned workers() const { return workers_; }
  const StatePaths& paths() const { return paths_; }
  const std::string& ca_pem() const { return ca_pem_; }
  const std::string& ca_fingerprint() const { return ca_fingerprint_; }
  AccessRules access_rules() const;

  Database& database() const { return *database_; }
  ConfigHistory& config() const { return *config_; }
  Tokens& tokens() const { return *tokens_; }
  Users& users() const { return *users_; }
  Sessions& sessions() const { return *sessions_; }
  LoginGuard& login_guard() { return login_guard_; }
  Audit& audit() const { return *audit_; }
  Edges& enrolled() const { return *edges_; }
  Beacons& beacons() const { return *beacons_; }
  Alerts& alerts() const { return *alerts_; }
  Triage& triage() const { return *triage_; }
  Probes& probes() const { return *probes_; }
  Homes& homes() const { return *homes_; }
  Coverage& coverage() const { return *coverage_; }
  Leaks& leaks() const { return *leaks_; }
  InstrumentEvents& instrument_events() const { return *instrument_events_; }
  Fleet& fleet() const { return *fleet_; }
  ImageStore& images() const { return *images_; }
  AlertQueue& alert_queue() const { return *alert_queue_; }
  Spool& journal() const { return *journal_; }
  LiveHunt& hunt() const { return *hunt_; }
  Ingest& ingest() const { return *ingest_; }
  Analysis& analysis() const { return *analysis_; }
  EventHub& events() const { return *events_; }
  Metrics& metrics() const { return *metrics_; }

 private:
  explicit Control(Options options);
  Result<void> open_state(const ConfigValues& values);
  Result<void> open_parts();
  Result<void> open_fleet();
  Result<void> open_series();
  void take_observations(Ingest::Options& ingest);
  void take_events(Ingest::Options& ingest);
  void hear(const Ingest::Heard& heard);

  std::function<Timestamp()> clock_;
  std::function<bool()> proceed_;
  ConfigDocument file_;
  bool insecure_ = false, tls_ = false, tls_beside_ = false;
  std::string served_chain_;  // under apply_mutex_
  Timestamp started_{};
  unsigned workers_ = 2;
  StatePaths paths_;
  std::string scratch_;  // a folder that goes with us, where there is no state folder
  std::string ca_pem_, ca_fingerprint_;
  std::vector<std::string> names_;

  std::unique_ptr<Database> database_;
  std::unique_ptr<ConfigHistory> config_;
  std::unique_ptr<Tokens> tokens_;
  std::unique_ptr<Users> users_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<Audit> audit_;
  LoginGuard login_guard_;
  std::unique_ptr<Edges> edges_;
  std::unique_ptr<Beacons> beacons_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Triage> triage_;
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<Homes> homes_;
  std::unique_ptr<Coverage> coverage_;
  std::unique_ptr<AlertQueue> alert_queue_;
  std::unique_ptr<Spool> journal_;
  std::unique_ptr<LiveHunt> hunt_;
  std::unique_ptr<EventHub> events_;
  std::unique_ptr<Leaks> leaks_;
  std::unique_ptr<InstrumentEvents> instrument_events_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Analysis> analysis_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
  std::mutex apply_mutex_;
};

}  // namespace beaconry
