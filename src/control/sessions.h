#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "store/database.h"

namespace beaconry {

// Who is logged in. A session's secret, 256 random bits, is in the user's cookie; here is its
// SHA-256. It ends when it was not used for 12 hours, 7 days after it began, when it is ended, or
// when its user's newest 16 or all users' most lately used 4096 leave no room. Sessions outlive a
// restart. Any thread.
class Sessions {
 public:
  static constexpr auto kIdle = std::chrono::hours{12}, kLongest = std::chrono::hours{7 * 24};
  static constexpr std::size_t kMostOfUser = 16, kMost = 4096;

  struct Session {
    std::string user, generation;  // as Users had it when he logged in
    Timestamp created{}, used{};
    Timestamp expires() const;
  };

  static Result<std::unique_ptr<Sessions>> open(Database& database, Timestamp now);

  // The secret, for the cookie alone.
  Result<std::string> create(const std::string& user, const std::string& generation, Timestamp now);
  // Counts as a use. Touches memory only: save() writes it down.
  std::optional<Session> find(std::string_view secret, Timestamp now);
  Result<void> end(std::string_view secret);
  Result<void> end_of(const std::string& user);
  // Writes down uses, forgets and closes what has ended.
  Result<void> save(Timestamp now);

  std::size_t count(Timestamp now);  // that have not ended

  // A stream that must not outlive the session that asked for it.
  void bind(std::string_view secret, std::shared_ptr<EventStream> stream);

  // What a changing request must say beside its cookie, which other sites' pages cannot read. It
  // follows from the secret, so it is new with each session and need not be kept.
  static std::string csrf(std::string_view secret);

 private:
  struct Row {
    Session session;
    Timestamp saved{};
    std::vector<std::shared_ptr<EventStream>> streams;
  };
  explicit Sessions(Database& database) : database_(database) {}
  // Out of memory, with mutex_ held, and then from the disk, without: a disk that is full keeps
  // nobody logged in, and one that is slow keeps nobody waiting who only asks.
  template <class Ends>
  std::vector<std::string> drop_where(const Ends& ends);
  std::vector<std::string> drop_expired(Timestamp now);
  void make_room(const std::string& user, std::vector<std::string>& gone);
  template <class Ends>
  Result<void> end_where(const Ends& ends);  // both, with changing_ held

  Database& database_;
  std::mutex changing_;  // whoever writes to the disk; taken before mutex_
  std::mutex mutex_;
  // By the secret's SHA-256: who measures how long it takes to find one learns of hashes of his
  // own guesses, which tell nothing of the next guess.
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace beaconry
