#include "uplink/join_command.h"

#include <cstdlib>

#include "base/file.h"
#include "base/privileges.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestToken = 4096;

Result<std::string> join_token(const JoinArguments& arguments) {
  if (!arguments.token_file.empty()) {
    auto text = read_small_file(arguments.token_file, kLongestToken);
    if (!text) return text;
    return std::string(trim(*text));
  }
  if (const char* token = std::getenv("BEACONRY_JOIN_TOKEN")) return std::string(token);
  return fail(ErrorKind::usage, "join", "",
              "a token is needed: --token-file FILE (- for standard input), or "
              "BEACONRY_JOIN_TOKEN in the environment");
}

}  // namespace

Result<JoinedServer> join_by_line(const JoiningEdge& edge, const JoinArguments& arguments) {
  const auto token = join_token(arguments);
  if (!token) return tl::unexpected<Error>(token.error());
  const auto account =
      edge.is_root ? Result<Account>(Account{"root", 0, 0}) : find_account(edge.user, edge.account);
  if (!account) return tl::unexpected<Error>(account.error());
  if (auto done = hand_over_folder(edge.state_folder, *account); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  const auto identity = EdgeIdentity::open(edge.state_folder, edge.name);
  if (!identity) return tl::unexpected<Error>(identity.error());
  auto joined =
      join_server(*identity, edge.kind, arguments.url, arguments.ca, *token, edge.state_folder);
  if (!joined) return joined;
  if (auto done = hand_over_folder(edge.state_folder, *account); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return joined;
}

}  // namespace beaconry
