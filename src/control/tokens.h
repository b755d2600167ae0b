#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/route.h"
#include "store/database.h"

namespace beaconry {

// A token's role in words: `read` for a viewer's, as it has always been called.
std::string_view token_role(Role role);

// Tokens for people and programs. A token is 256 random bits that nobody can guess, so its plain
// SHA-256 is kept: a slow hash guards passwords that people choose, and would here only slow down
// the server. What is kept cannot be turned back into a token. Any thread may call.
class Tokens {
 public:
  struct Token {
    std::string name;
    Role role = Role::none;
    Timestamp created{};
    std::string created_by;
    std::optional<Timestamp> expires;
  };

  static Result<std::unique_ptr<Tokens>> open(Database& database);

  // The secret, "bcn_" and 64 hex digits: shown now and never again. A name is taken once.
  Result<std::string> create(const std::string& name, Role role, std::optional<Timestamp> expires,
                             const std::string& who, Timestamp now);
  Result<void> revoke(const std::string& name);
  std::vector<Token> list() const;
  // Whether there was a first token, also if all have expired or were revoked since: what a token
  // closed does not open again by itself.
  bool ever_made() const;

  // Whose token this is; takes the same time whichever it is.
  std::optional<Token> verify(std::string_view secret, Timestamp now) const;
  // `control_plane.api_key` acts as a token named "api_key" of role admin; empty: there is none.
  void set_api_key(std::string_view key);
  bool has_api_key() const;

  // Reads the table again: another process may have written it.
  Result<void> refresh();

 private:
  struct Row {
    Token token;
    std::string hash;  // SHA-256, hex
  };
  explicit Tokens(Database& database) : database_(database) {}

  Database& database_;
  // Every request asks verify(): whoever changes holds changing_ over the disk and mutex_ for the
  // moment only in which rows_ changes.
  std::mutex changing_;  // taken before mutex_
  mutable std::mutex mutex_;
  std::vector<Row> rows_;
  bool ever_made_ = false;
  std::string api_key_hash_;
};

}  // namespace beaconry
