#include "server/listing.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "hunt/output/terminal.h"

namespace beaconry {

void ListOptions::add_to(CLI::App& app, std::uint64_t most) {
  app.add_option("--limit", limit, "List at most so many [100]")
      ->check(CLI::Range(std::uint64_t{1}, most));
  app.add_flag("--csv", csv, "Write CSV to standard output");
  app.add_option_function<std::vector<std::string>>(
         "-o,--output",
         [this](const std::vector<std::string>& values) {
           file_given = true;
           if (!values.empty() && values.front() != "-") file = values.front();
         },
         "Write CSV to a file; without one, to standard output")
      ->expected(0, 1)
      ->type_name("FILE");
}

Result<std::string> get_listing(Server& server, const char* path, const Query& query,
                                const char* list, const ListOptions& options,
                                std::uint64_t most_of_page) {
  return pages_of([&](const PageQuery& page) { return server.get(path, page); }, query, list,
                  options.limit, most_of_page);
}

Result<void> print(const Result<std::string>& text) {
  if (!text) return tl::unexpected<Error>(text.error());
  if (std::fputs(text->c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    return fail_errno("write", "standard output");
  }
  return {};
}

void add_given(Query& query, const char* name, const std::string& value) {
  if (!value.empty()) query.emplace_back(name, value);
}

Result<void> write_listing(const ListOptions& options, const Result<std::string>& text) {
  if (!text || options.file.empty()) return print(text);
  std::ofstream file(options.file, std::ios::trunc);
  file << *text;
  file.close();
  if (!file) return fail_errno("write", options.file);
  return {};
}

bool colour_on_output() {
  return colour_wanted(ColourChoice::automatic, surroundings_of(STDOUT_FILENO));
}

}  // namespace beaconry
