#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace beaconry {

// Calls work(thread, begin, end) for blocks that together cover [0, count), on `threads` threads
// (the caller is one of them). Blocks go to whoever is free. `work` must not throw.
template <class Work>
void parallel_for(std::size_t count, unsigned threads, std::size_t block, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](unsigned thread) {
    for (;;) {
      const std::size_t begin = next.fetch_add(block);
      if (begin >= count) return;
      work(thread, begin, std::min(begin + block, count));
    }
  };
  std::vector<std::jthread> others;
  for (unsigned thread = 1; thread < threads && thread * block < count; ++thread) {
    others.emplace_back(run, thread);
  }
  run(0);
}

}  // namespace beaconry
