#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "sensor/network/prefix.h"

namespace beaconry {

// What a DHCP client's last event said.
struct DhcpNews {
  std::string state;  // of udhcpc: "bound", "renew", "deconfig", "leasefail", "nak"
  std::optional<Prefix> address;
  std::optional<IpAddress> router;
  std::vector<IpAddress> resolvers;  // four at most

  // The file that the client's script writes. What a server said wrong is left out.
  static DhcpNews parse(std::string_view text);
  bool has_lease() const { return address && (state == "bound" || state == "renew"); }
  friend bool operator==(const DhcpNews&, const DhcpNews&) = default;
};

// The client's command: of a program that is named, or of udhcpc or busybox where they are. Empty:
// there is none.
std::vector<std::string> find_dhcp_client(const std::string& named);

// A udhcpc that runs in a container's network namespace, but on the host and with rights to send
// raw packets only: the instrument neither sees it nor needs those rights. It tells by a file; who
// owns this sets the address. Ends with its owner's wish, or when a successor starts.
class DhcpClient {
 public:
  struct Options {
    std::vector<std::string> program;  // {"/bin/busybox", "udhcpc"}
    std::string folder, name;          // FOLDER/NAME.lease and .pid
    std::string interface;
    int name_space = -1;
  };
  static Result<std::unique_ptr<DhcpClient>> start(const Options& options);
  ~DhcpClient();
  DhcpClient(const DhcpClient&) = delete;
  DhcpClient& operator=(const DhcpClient&) = delete;

  bool ended();                                      // reaps it
  int descriptor() const { return process_.get(); }  // readable: it ended; -1 after ended()
  std::optional<DhcpNews> news() const;

  // Of a daemon that was killed: its clients would answer for addresses of old.
  static void end_left_over(const std::string& folder, const std::string& name);

 private:
  DhcpClient() = default;
  Options options_;
  pid_t pid_ = -1;
  Fd process_;
};

}  // namespace beaconry
