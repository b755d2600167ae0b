#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/document.h"

namespace beaconry {

// The body of a configuration's POST, taken apart.
struct ConfigEdit {
  ConfigDocument document;               // with the file's sections: weights are in `detection`
  std::optional<std::uint64_t> version;  // that the sender started from
};

// Reads JSON (or YAML) with the sections that can be changed at run time; another section is
// refused with the words which can. `all` gets every error.
Result<ConfigEdit> parse_config_edit(std::string_view text, std::vector<Error>* all = nullptr);

// Whether a key of the file's schema can be changed at run time.
bool is_editable(std::string_view path);

// The sections `weights` and its keys: "cv" stands for "detection.cv_weight". Empty for others.
std::string_view weight_word(std::string_view path);

}  // namespace beaconry
