#pragma once
#include <string>

#include "uplink/edge_identity.h"

namespace beaconry {

// What the line says that `beaconry enroll` prints.
struct JoinArguments {
  std::string url;
  std::string ca;          // SHA256:...
  std::string token_file;  // - for standard input; empty: BEACONRY_JOIN_TOKEN in the environment
};

// An edge program that joins: what it is, and whose its state folder will be.
struct JoiningEdge {
  std::string kind;  // "collector", "home", "sensor"
  std::string name, state_folder;
  std::string user;      // who the program becomes; empty: its own account
  std::string account;   // that account, as packages make it
  bool is_root = false;  // the program stays root, and so do its files
};

// The command `join` of an edge: makes its folder and key if they are missing, and joins.
Result<JoinedServer> join_by_line(const JoiningEdge& edge, const JoinArguments& arguments);

}  // namespace beaconry
