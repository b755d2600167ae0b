#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/password.h"
#include "control/route.h"
#include "store/database.h"

namespace beaconry {

// People who log in: their passwords, roles and second factors. Names are kept in lower case. One
// admin who may log in always remains once there was one. Any thread.
class Users {
 public:
  enum class Totp : std::uint8_t {
    off,
    pending,
    on
  };  // pending: no code was shown to be right yet
  struct User {
    std::string name;
    Role role = Role::none;
    bool disabled = false;
    Totp totp = Totp::off;
    Timestamp created{};
    std::string created_by;
    Timestamp changed{};  // password, role or disabled
    // Drawn anew with each such change: a session holds for the one that it was made under. Clocks
    // do not tell that; they are set.
    std::string generation;
    std::optional<Timestamp> last_login;
  };
  struct Change {
    std::optional<Role> role;
    std::optional<std::string> password;
    std::optional<bool> disabled, totp;  // totp: a second factor, begun or ended
  };
  struct Changed {
    User user;
    std::string totp_secret;  // of one begun, to be shown this once; else empty
  };
  struct Login {
    bool right = false;
    bool code_needed = false;  // the password was right
    User user;                 // of who is right
  };

  static Result<std::unique_ptr<Users>> open(Database& database, Passwords::Cost cost = {});

  Result<void> create(const std::string& name, Role role, std::string_view password,
                      const std::string& who, Timestamp now);
  // All of it or nothing. A new second factor is asked for from the first right code on.
  Result<Changed> change(const std::string& name, const Change& change, Timestamp now);
  Result<void> remove(const std::string& name);

  // Takes as long whoever it is. A right code of a pending secret turns it on.
  Result<Login> log_in(const std::string& name, std::string_view password, std::string_view code,
                       Timestamp now);

  std::optional<User> find(std::string_view name) const;
  std::vector<User> list() const;
  bool any() const;
  Result<void> refresh();  // another process may have written the table

  // As names are kept and looked up.
  static std::string folded(std::string_view name);

 private:
  struct Row {
    User user;
    std::string hash, secret;
    std::uint64_t step = 0;  // of the last code that was taken
  };
  Users(Database& database, Passwords::Cost cost) : database_(database), passwords_(cost) {}
  Result<Row> row_of(const std::string& name) const;  // with either mutex held
  Result<void> put(const Row& row);                   // with changing_ held
  bool is_last_admin(const std::string& name) const;  // with changing_ held
  Result<void> apply(const Change& change, std::string hash, Timestamp now, Row& row) const;

  Database& database_;
  Passwords passwords_;
  // Every request asks who somebody is: whoever changes holds changing_ over the disk and mutex_
  // for the moment only in which rows_ changes.
  std::mutex changing_;  // taken before mutex_
  mutable std::mutex mutex_;
  std::map<std::string, Row, std::less<>> rows_;
};

std::string_view to_string(Users::Totp totp);

}  // namespace beaconry
