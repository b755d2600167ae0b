#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/mqtt_client.h"

namespace beaconry {

// What an instrument may say and hear, from its manifest's relations.
struct BusAccount {
  std::string instance;  // user name and client id
  std::string password;  // made by make_bus_password(), handed to the instrument in its run folder
  std::vector<std::string> may_publish, may_subscribe;  // topic filters
};
std::string make_bus_password();

// Mosquitto as a child process with one listener on FOLDER/bus.sock (mode 0666) and the
// dynamic-security plugin: closed by default, one account an instrument, changed while it runs.
// Its state is disposable: at every start it is written anew from the accounts. The broker that a
// killed daemon left is taken over or replaced. Owned by the daemon's thread; nothing blocks for
// longer than a broker's start (a second).
class Broker {
 public:
  struct Options {
    std::string folder;        // for instruments: bus.sock, bind-mounted as /run/bus
    std::string state_folder;  // mosquitto.conf and accounts, 0750: ours, the broker reads
    std::string program;       // empty: mosquitto in PATH and /usr/sbin
    std::string plugin;        // empty: where Debian has it
    std::string user;          // whom the broker becomes; empty: "mosquitto", else "nobody"
    std::function<Timestamp()> clock;
    std::uint64_t most_memory = 256 << 20;  // of its addresses
    // How often it is looked whether it passes messages on, and how long it may take.
    std::chrono::milliseconds probe_every{5000}, probe_patience{15000};
  };
  // An account that cannot be (check()) is left out and named in the log; the others have their
  // bus.
  static Result<std::unique_ptr<Broker>> start(const Options& options,
                                               const std::vector<BusAccount>& accounts);
  virtual ~Broker() = default;  // ends the child

  // Makes, replaces or removes an account at once; kept for restarts.
  virtual Result<void> set_account(const BusAccount& account) = 0;
  virtual Result<void> remove_account(const std::string& instance) = 0;

  // The platform's own connection: it hears what instruments say to it, and to each other. A broker
  // that died, or passes nothing on any more, is started again with backoff and all accounts:
  // messages then begin anew, and what was on the way is sent by its senders again. Call work()
  // when descriptor() is readable and at least every second.
  virtual int descriptor() const = 0;  // -1 while there is no connection
  virtual bool wants_write() const = 0;
  virtual void work(std::vector<MqttClient::Message>& messages) = 0;
  virtual Result<void> publish(const std::string& topic, std::string_view payload) = 0;

  virtual bool is_up() const = 0;
  virtual std::string fault() const = 0;  // why it is not; empty: up
  virtual std::uint64_t restarts() const = 0;
  virtual int process() const = 0;  // its pid; 0: none
};

}  // namespace beaconry
