#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace beaconry {

// An instance as a document has it: of one layer, or of all merged.
struct DocumentInstance {
  std::string name, image;  // image: empty where a layer leaves it to others
  bool running = true;
};

// By name; those that are removed there (null) are none. Nothing of what is no document.
std::vector<DocumentInstance> instances_in(const std::string& document_json);

bool names_image(const std::vector<DocumentInstance>& instances, std::string_view image);

}  // namespace beaconry
