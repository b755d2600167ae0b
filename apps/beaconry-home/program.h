#pragma once
#include <map>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/privileges.h"
#include "base/result.h"
#include "base/status_socket.h"
#include "home/home.h"
#include "home/probe_sync.h"
#include "settings.h"
#include "spool/spool.h"
#include "uplink/edge_identity.h"
#include "uplink/sender.h"

namespace beaconry {

// A running home: receivers → spool → sender, on one thread but for the sender's and the one that
// asks the server for the probes.
class HomeProgram {
 public:
  // Opens everything, then gives up root and all capabilities. SIGINT, SIGTERM and SIGHUP are this
  // thread's from here on.
  static Result<std::unique_ptr<HomeProgram>> start(HomeArguments arguments,
                                                    HomeProgramSettings settings);
  // Until SIGINT or SIGTERM: then the last batch is on disk, and up to three seconds go into
  // sending what waits.
  void run();

 private:
  HomeProgram(HomeArguments arguments, HomeProgramSettings settings)
      : arguments_(std::move(arguments)), settings_(std::move(settings)) {}
  Result<void> open();
  Result<void> open_home();
  Result<void> give_up_privileges(const Account& account);
  Result<void> connect();
  Result<bool> find_server(HttpClient::Options& server, std::string& token);

  void handle_signals();
  void reload();
  void load_probes(const std::string& file, bool must);
  void take_probes(ProbeList list);
  void look_at_probes_file();
  void inject_controls();
  void finish();
  std::string status() const;

  HomeArguments arguments_;
  HomeProgramSettings settings_;
  Fd signals_;
  EdgeIdentity identity_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Home> home_;
  Key32 box_public_{};
  std::unique_ptr<StatusSocket> socket_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<ProbeSync> sync_;
  std::string server_, probes_version_, probes_from_;
  std::vector<ProbeList::Control> controls_;
  std::size_t probes_refused_ = 0;               // entries of the last list
  std::map<std::uint64_t, Timestamp> injected_;  // by probe: when last
  std::int64_t probes_changed_ = 0;              // the file's time, nanoseconds
  Timestamp started_{}, looked_{};
  bool stopping_ = false;
};

}  // namespace beaconry
