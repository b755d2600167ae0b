#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "sensor/reported_state.h"
#include "spool/spool.h"
#include "uplink/sender.h"

namespace beaconry {

// The two ways from a sensor to its server: its events, and what it passes on for instruments.
// wake() from any thread.
class UplinkSenders {
 public:
  // No options: there is no server. The spools outlive it. What the server refuses goes to FOLDER.
  static Result<std::unique_ptr<UplinkSenders>> start(const std::optional<Sender::Options>& options,
                                                      Spool& events, Spool& relayed,
                                                      const std::string& folder,
                                                      const std::function<Timestamp()>& clock);
  void wake_events() const;
  void wake_relayed() const;
  SensorReport::Uplink report() const;

 private:
  UplinkSenders(Spool& events, Spool& relayed) : events_spool_(events), relayed_spool_(relayed) {}
  Spool& events_spool_;
  Spool& relayed_spool_;
  std::string server_;
  std::unique_ptr<Sender> events_, relayed_;
};

}  // namespace beaconry
