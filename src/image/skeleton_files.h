#pragma once

#include <span>

namespace beaconry {

// A file of a skeleton; NAME in it stands for the instrument's.
struct SkeletonFile {
  const char* path;
  unsigned mode;
  const char* text;
};
std::span<const SkeletonFile> cpp_skeleton();
std::span<const SkeletonFile> python_skeleton();

}  // namespace beaconry
