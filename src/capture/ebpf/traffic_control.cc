#include "capture/ebpf/traffic_control.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace beaconry {
namespace {

constexpr std::size_t kAnswerBytes = std::size_t{64} << 10;
constexpr std::uint32_t kOurHandle = 1;

std::uint32_t parent_of(TrafficDirection direction) {
  return TC_H_MAKE(TC_H_CLSACT,
                   direction == TrafficDirection::ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

// The attributes of one level: what a message holds from `at` on.
template <class Take>
void each_attribute(const char* at, std::size_t size, const Take& take) {
  while (size >= sizeof(rtattr)) {
    rtattr head;
    std::memcpy(&head, at, sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > size) return;
    take(head.rta_type & NLA_TYPE_MASK,
         std::string_view(at + sizeof head, head.rta_len - sizeof head));
    const std::size_t step = RTA_ALIGN(head.rta_len);
    if (step >= size) return;
    at += step;
    size -= step;
  }
}

std::string text_of(std::string_view value) {
  return std::string(value.substr(0, value.find('\0')));
}

}  // namespace

// One request as it is put together.
class TrafficControl::Request {
 public:
  Request(std::uint16_t type, unsigned flags, int interface) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    message_.tcm_family = AF_UNSPEC;
    message_.tcm_ifindex = interface;
  }

  tcmsg& message() { return message_; }
  void add(std::uint16_t type, const void* value, std::size_t size) {
    rtattr head{static_cast<unsigned short>(sizeof(rtattr) + size), type};
    attributes_.append(reinterpret_cast<const char*>(&head), sizeof head);
    attributes_.append(static_cast<const char*>(value), size);
    attributes_.resize(RTA_ALIGN(attributes_.size()));
  }
  void add(std::uint16_t type, const std::string& text) {
    add(type, text.c_str(), text.size() + 1);
  }
  void add(std::uint16_t type, std::uint32_t value) { add(type, &value, sizeof value); }

  std::uint16_t type() const { return header_.nlmsg_type; }
  bool is_dump() const { return (header_.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP; }
  std::string bytes(std::uint32_t sequence) {
    header_.nlmsg_seq = sequence;
    header_.nlmsg_len =
        static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof message_) + attributes_.size());
    std::string all(reinterpret_cast<const char*>(&header_), sizeof header_);
    all.resize(NLMSG_HDRLEN);
    all.append(reinterpret_cast<const char*>(&message_), sizeof message_);
    return all + attributes_;
  }
  // Attributes so far become the value of one attribute.
  void nest(std::uint16_t type, std::size_t from) {
    const std::string inner = attributes_.substr(from);
    attributes_.resize(from);
    add(type, inner.data(), inner.size());
  }
  std::size_t size() const { return attributes_.size(); }

 private:
  nlmsghdr header_{};
  tcmsg message_{};
  std::string attributes_;
};

Result<TrafficControl> TrafficControl::open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail_errno("open", "rtnetlink socket");
  return TrafficControl(std::move(socket));
}

template <class Take>
Result<void> TrafficControl::exchange(Request& request, const char* operation, const Take& take) {
  const std::uint32_t sequence = ++sequence_;
  const std::string bytes = request.bytes(sequence);
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) {
    return fail_errno(operation, "over rtnetlink");
  }
  std::vector<char> answer(kAnswerBytes);
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(operation, "over rtnetlink");
    std::size_t left = static_cast<std::size_t>(got);
    const char* at = answer.data();
    while (left >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > left) break;
      if (header.nlmsg_seq == sequence) {
        if (header.nlmsg_type == NLMSG_DONE) return {};
        if (header.nlmsg_type == NLMSG_ERROR &&
            header.nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr))) {
          nlmsgerr error;
          std::memcpy(&error, at + NLMSG_HDRLEN, sizeof error);
          if (error.error == 0) return {};
          errno = -error.error;
          return fail_errno(operation, "");
        }
        if (header.nlmsg_len >= NLMSG_LENGTH(sizeof(tcmsg))) {
          tcmsg message;
          std::memcpy(&message, at + NLMSG_HDRLEN, sizeof message);
          take(message, at + NLMSG_LENGTH(NLMSG_ALIGN(sizeof message)),
               header.nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(sizeof message)));
        }
      }
      const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
      if (step >= left) break;
      at += step;
      left -= step;
    }
  }
}

Result<void> TrafficControl::change(Request& request, const char* operation) {
  return exchange(request, operation, [](const tcmsg&, const char*, std::size_t) {});
}

Result<TrafficControl::Discipline> TrafficControl::discipline(int interface) {
  Request request(RTM_GETQDISC, NLM_F_DUMP, interface);
  Discipline found = Discipline::none;
  auto done = exchange(request, "list queueing disciplines",
                       [&](const tcmsg& message, const char* at, std::size_t size) {
                         if (message.tcm_ifindex != interface) return;
                         each_attribute(at, size, [&](unsigned type, std::string_view value) {
                           if (type != TCA_KIND) return;
                           const std::string kind = text_of(value);
                           if (kind == "clsact") found = Discipline::clsact;
                           if (kind == "ingress") found = Discipline::ingress_only;
                         });
                       });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return found;
}

Result<void> TrafficControl::add_clsact(int interface) {
  Request request(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, interface);
  request.message().tcm_parent = TC_H_CLSACT;
  request.message().tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  request.add(TCA_KIND, std::string("clsact"));
  return change(request, "add a clsact queueing discipline");
}

Result<void> TrafficControl::remove_clsact(int interface) {
  Request request(RTM_DELQDISC, NLM_F_ACK, interface);
  request.message().tcm_parent = TC_H_CLSACT;
  request.message().tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  return change(request, "remove the clsact queueing discipline");
}

Result<std::vector<TrafficFilter>> TrafficControl::filters(int interface,
                                                           TrafficDirection direction) {
  Request request(RTM_GETTFILTER, NLM_F_DUMP, interface);
  request.message().tcm_parent = parent_of(direction);
  std::vector<TrafficFilter> found;
  auto done = exchange(
      request, "list filters", [&](const tcmsg& message, const char* at, std::size_t size) {
        if (message.tcm_ifindex != interface) return;
        TrafficFilter filter;
        filter.handle = message.tcm_handle;
        filter.priority = message.tcm_info >> 16;
        filter.protocol = static_cast<std::uint16_t>(message.tcm_info & 0xffff);
        bool has_options = false;
        each_attribute(at, size, [&](unsigned type, std::string_view value) {
          if (type == TCA_KIND) filter.kind = text_of(value);
          if (type != TCA_OPTIONS) return;
          has_options = true;
          each_attribute(value.data(), value.size(), [&](unsigned inner, std::string_view option) {
            if (inner == TCA_BPF_NAME) filter.name = text_of(option);
          });
        });
        // A chain's priority is listed by itself, too, before the filters that it holds.
        if (has_options || filter.handle != 0) found.push_back(std::move(filter));
      });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return found;
}

Result<void> TrafficControl::add_filter(int interface, TrafficDirection direction,
                                        std::uint32_t priority, int program,
                                        const std::string& name) {
  Request request(RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, interface);
  request.message().tcm_parent = parent_of(direction);
  request.message().tcm_handle = kOurHandle;
  request.message().tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
  request.add(TCA_KIND, std::string("bpf"));
  const std::size_t options = request.size();
  request.add(TCA_BPF_FD, static_cast<std::uint32_t>(program));
  request.add(TCA_BPF_NAME, name);
  request.add(TCA_BPF_FLAGS, std::uint32_t{TCA_BPF_FLAG_ACT_DIRECT});
  request.nest(TCA_OPTIONS, options);
  return change(request, "add a filter");
}

Result<void> TrafficControl::remove_filter(int interface, TrafficDirection direction,
                                           const TrafficFilter& filter) {
  Request request(RTM_DELTFILTER, NLM_F_ACK, interface);
  request.message().tcm_parent = parent_of(direction);
  request.message().tcm_handle = filter.handle;
  request.message().tcm_info = TC_H_MAKE(filter.priority << 16, filter.protocol);
  request.add(TCA_KIND, filter.kind);
  return change(request, "remove a filter");
}

}  // namespace beaconry
