#pragma once
#include <string>

#include "base/result.h"
#include "server/json_rows.h"

namespace beaconry {

// A file with a document, "-" of standard input, as a JSON object. YAML is taken, too. At most
// 1 MiB, 32 deep, no key twice; errors name the file and the remedy.
Result<Json> read_document(const std::string& file);

}  // namespace beaconry
