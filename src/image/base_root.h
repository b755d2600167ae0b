#pragma once

#include <string>
#include <vector>

#include "image/manifest.h"
#include "image/root_tree.h"

namespace beaconry {

// What every instrument finds in its root before its own files come.
struct BaseRoot {
  RootTree tree;
  struct Package {
    std::string name, version;
  };
  std::vector<Package> alpine_packages;  // of an Alpine base
};
// `base`: an Alpine minirootfs tarball, or empty: of `busybox`, a static one of this machine.
// `command` is the manifest's.
Result<BaseRoot> make_base_root(const std::string& base, const std::string& busybox,
                                const std::vector<std::string>& command);

}  // namespace beaconry
