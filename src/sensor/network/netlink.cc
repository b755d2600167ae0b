#include "sensor/network/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace beaconry {
namespace {

constexpr std::size_t kAlignment = 4;
constexpr timeval kPatience{10, 0};
constexpr unsigned kMostTries = 5;

std::size_t aligned(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  append(header);
}

void NetlinkMessage::append_bytes(const char* bytes, std::size_t size) {
  bytes_.append(bytes, size);
  bytes_.resize(aligned(bytes_.size()));
}

void NetlinkMessage::put(std::uint16_t attribute, std::string_view value) {
  const nlattr header{static_cast<std::uint16_t>(sizeof header + value.size()), attribute};
  append(header);
  append_bytes(value.data(), value.size());
}

void NetlinkMessage::put_text(std::uint16_t attribute, std::string_view text) {
  put(attribute, std::string(text) + '\0');
}

std::size_t NetlinkMessage::begin(std::uint16_t attribute) {
  const std::size_t at = bytes_.size();
  put(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), {});
  return at;
}

void NetlinkMessage::end(std::size_t at) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
  std::memcpy(&bytes_[at], &length, sizeof length);
}

const std::string& NetlinkMessage::finish(std::uint32_t sequence) {
  nlmsghdr header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

void for_attributes(std::string_view attributes,
                    const std::function<void(std::uint16_t, std::string_view)>& each) {
  while (attributes.size() >= sizeof(nlattr)) {
    const auto header = netlink_value<nlattr>(attributes);
    if (header.nla_len < sizeof header || header.nla_len > attributes.size()) return;
    each(static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
         attributes.substr(sizeof header, header.nla_len - sizeof header));
    attributes.remove_prefix(std::min(aligned(header.nla_len), attributes.size()));
  }
}

std::string netlink_address(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return std::string(bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
}

std::string netlink_text(std::string_view bytes) {
  return std::string(bytes.substr(0, bytes.find('\0')));
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol, std::uint32_t groups) {
  NetlinkSocket made;
  made.socket_ = Fd(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (groups == 0 ? 0 : SOCK_NONBLOCK), protocol));
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  own.nl_groups = groups;
  if (!made.socket_ ||
      ::bind(made.socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
    return fail_errno("open", "a netlink socket");
  }
  // The kernel answers at once; a bound, since a thread that waits for ever serves nobody.
  ::setsockopt(made.socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return made;
}

Result<void> NetlinkSocket::change(NetlinkMessage& message, const std::string& operation,
                                   const std::string& subject) {
  return ask(message, operation, subject, [](const nlmsghdr&, const char*) {});
}

Result<void> NetlinkSocket::ask(NetlinkMessage& message, const std::string& operation,
                                const std::string& subject, const Each& each) {
  for (unsigned tries = 1;; ++tries) {
    error_ = 0;
    std::vector<std::string> answers;
    if (send(message)) receive(answers);
    if (error_ == EINTR && tries < kMostTries) continue;
    if (error_ != 0) {
      errno = error_;
      return fail_errno(operation, subject);
    }
    for (const std::string& one : answers) {
      const auto header = netlink_value<nlmsghdr>(one);
      each(header, one.data() + NLMSG_HDRLEN);
    }
    return {};
  }
}

bool NetlinkSocket::send(NetlinkMessage& message) {
  const std::string& bytes = message.finish(++sequence_);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const bool sent = ::sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                             reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) >= 0;
  if (!sent) error_ = errno;
  return sent;
}

// Until the kernel says that this was all. EINTR: what was listed changed meanwhile.
void NetlinkSocket::receive(std::vector<std::string>& answers) {
  alignas(nlmsghdr) std::array<char, 65'536> bytes;
  bool changed = false;
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error_ = errno;
      return;
    }
    auto left = static_cast<unsigned>(got);
    for (const auto* one = reinterpret_cast<const nlmsghdr*>(bytes.data()); NLMSG_OK(one, left);
         one = NLMSG_NEXT(one, left)) {
      if (one->nlmsg_seq != sequence_) continue;  // of one that was given up
      changed = changed || (one->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (one->nlmsg_type == NLMSG_ERROR || one->nlmsg_type == NLMSG_DONE) {
        // Both begin with errno's number, or zero.
        const auto result = netlink_value<int>(
            {static_cast<const char*>(NLMSG_DATA(one)), one->nlmsg_len - NLMSG_HDRLEN});
        error_ = result < 0 ? -result : changed ? EINTR : 0;
        return;
      }
      answers.emplace_back(reinterpret_cast<const char*>(one), one->nlmsg_len);
    }
  }
}

bool NetlinkSocket::drain() {
  std::array<char, 16'384> heard;
  bool any = false;
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), heard.data(), heard.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    // ENOBUFS: something was lost; all is looked at again anyway.
    if (got < 0 && errno != ENOBUFS) return any;
    any = true;
  }
}

}  // namespace beaconry
