#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "server/access.h"
#include "server/pages.h"

namespace beaconry {

// How a list is written: --csv to standard output, -o FILE (CSV) to a file; -o alone is --csv.
struct ListOptions {
  std::optional<std::uint64_t> limit;
  bool csv = false;
  std::string file;
  bool file_given = false;

  // `most`: how long a list the subcommand can make.
  void add_to(CLI::App& app, std::uint64_t most = 100'000);
  bool wants_csv() const { return csv || file_given; }
};

// The server's list at `path`, whose rows are under `list`, as long as --limit wants it.
Result<std::string> get_listing(Server& server, const char* path, const Query& query,
                                const char* list, const ListOptions& options,
                                std::uint64_t most_of_page = kMostOfAPage);
// What an option was given; an empty one asks for nothing.
void add_given(Query& query, const char* name, const std::string& value);
// To the file or standard output; an error names the file.
Result<void> write_listing(const ListOptions& options, const Result<std::string>& text);
// To standard output.
Result<void> print(const Result<std::string>& text);
// An answer as it came, with a line's end, or what `view` makes of it.
template <class View>
Result<void> print_answer(const Result<std::string>& answer, bool json, const View& view) {
  if (!answer) return tl::unexpected<Error>(answer.error());
  return json ? print(*answer + '\n') : print(view(*answer));
}

// Is standard output to be coloured?
bool colour_on_output();

}  // namespace beaconry
