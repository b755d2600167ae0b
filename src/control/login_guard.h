#pragma once
#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ip_address.h"
#include "base/time.h"

namespace beaconry {

// Slows down who guesses passwords: after five failures in a row each further one doubles the time
// until the next try is looked at, for the address that they come from (a /64 of IPv6) up to 15
// minutes, for the user up to 30 seconds, as others must not be able to lock somebody out. A user
// who has logged in from this address before waits for neither, but up to 30 seconds for what was
// tried in his name from there. Logging in takes back one's own failures only: an own account is
// no way to go on with another's. What is remembered is bounded; the longest untouched is
// forgotten first, and all after a day. Any thread.
class LoginGuard {
 public:
  // Zero: go on, and it counts as a failure until succeeded() is called, so that many at once are
  // no way around. Else how long until a try is looked at.
  std::chrono::seconds begin(const std::string& user, const IpAddress& address, Timestamp now);
  void succeeded(const std::string& user, const IpAddress& address, Timestamp now);

 private:
  struct Entry {
    std::string key;
    unsigned failures = 0;
    bool known = false;  // of a user at an address: has logged in
    Timestamp last{};
  };
  class Table {  // by key, the longest untouched last
   public:
    Entry* find(const std::string& key, Timestamp now);
    Entry& touch(const std::string& key, Timestamp now);
    void erase(const std::string& key);

   private:
    std::list<Entry> entries_;
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
  };
  static std::chrono::seconds left(const Entry* entry, std::chrono::seconds most, Timestamp now);

  std::mutex mutex_;
  Table users_, addresses_;
  Table pairs_;  // address and user
};

}  // namespace beaconry
