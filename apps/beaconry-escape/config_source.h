#pragma once
#include <string>

#include "escape/config.h"

namespace beaconry {

// Where a probe's configuration comes from: the file `path` (- for standard input); of an empty
// path BEACONRY_ESCAPE_CONFIG in the environment; else what was appended to this program's own
// file.
Result<ProbeConfig> read_probe_config(const std::string& path);

// Writes this program with the configuration of the file `path` behind it to `out` (mode 0700: it
// holds the seed): `cat beaconry-escape probe.yaml > out`, checked first.
Result<void> embed_config(const std::string& path, const std::string& out);

// What stands behind the end of an ELF file, at most `most`: empty where nothing does.
Result<std::string> read_appended(const std::string& program, std::size_t most);

}  // namespace beaconry
