#include "command_tree.h"

#include <CLI/CLI.hpp>

namespace beaconry {
namespace {

// CLI11 writes a choice into the type's name: "TEXT:{table,csv}".
std::vector<std::string> choices_in(const std::string& type) {
  std::vector<std::string> choices;
  const auto open = type.find('{');
  const auto close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  std::string choice;
  for (const char c : type.substr(open + 1, close - open - 1)) {
    if (c == ',') {
      choices.push_back(choice);
      choice.clear();
    } else {
      choice += c;
    }
  }
  choices.push_back(choice);
  // Of a mapping "{name->value}", only the name is typed.
  for (std::string& each : choices)
    each = each.substr(0, each.find("->"));
  return choices;
}

CommandOption described(const CLI::Option& option) {
  CommandOption result;
  for (const std::string& name : option.get_snames())
    result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    result.names.push_back("--" + name);
  result.positional = result.names.empty();
  const std::string type = option.get_type_name();
  if (option.get_expected_max() > 0 && option.get_type_size_max() > 0) {
    result.choices = choices_in(type);
    result.placeholder = result.positional ? option.get_name() : type.substr(0, type.find(':'));
    if (!result.positional && !result.choices.empty()) result.placeholder.clear();
    if (result.placeholder.empty()) result.placeholder = "VALUE";
  }
  result.description = option.get_description();
  return result;
}

Command described(const CLI::App& app) {
  Command command{app.get_name(), app.get_description(), {}, false};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) command.options.push_back(described(*option));
  }
  return command;
}

// The commands of `app`, those of a group behind it. Returns whether there were any.
bool add_commands(const CLI::App& app, const std::string& before, CommandTree& tree) {
  bool any = false;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name().empty()) continue;
    any = true;
    const std::size_t at = tree.subcommands.size();
    tree.subcommands.push_back(described(*child));
    tree.subcommands[at].name = before + child->get_name();
    const bool group = add_commands(*child, before + child->get_name() + ' ', tree);
    tree.subcommands[at].group = group;
  }
  return any;
}

}  // namespace

CommandTree command_tree(const CLI::App& root) {
  CommandTree tree{described(root), {}};
  add_commands(root, "", tree);
  return tree;
}

const CLI::App& root_of(const CLI::App& app) {
  const CLI::App* root = &app;
  while (root->get_parent() != nullptr)
    root = root->get_parent();
  return *root;
}

}  // namespace beaconry
