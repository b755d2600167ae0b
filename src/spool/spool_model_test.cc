// Any sequence of uses and restarts, beside a model.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "spool/test_folder.h"

namespace beaconry {
namespace {

struct Model {
  std::map<std::uint64_t, std::string> records;  // by number, all that were appended
  std::uint64_t first = 1, next = 1, dropped = 0;
  std::uint64_t synced = 0;         // records up to here
  std::string synced_file;          // the last segment, when it was synced
  std::uint64_t synced_bytes = 40;  // of it: its header at least

  std::uint64_t sure_bytes(const std::string& file) const {
    return file == synced_file ? synced_bytes : 40;
  }
};

void check(Spool& spool, const Model& model, const TestFolder& folder, std::uint64_t most_bytes) {
  RC_ASSERT(spool.first() == model.first);
  RC_ASSERT(spool.next() == model.next);
  RC_ASSERT(spool.dropped() == model.dropped);
  RC_ASSERT(spool.damaged() == 0U);
  RC_ASSERT(spool.bytes() == folder.bytes_of_segments());
  RC_ASSERT(spool.bytes() <= most_bytes);
}

void check_records(Spool& spool, const Model& model) {
  const auto all = read_all(spool);
  RC_ASSERT(all.size() == model.next - model.first);
  for (std::size_t i = 0; i < all.size(); ++i) {
    RC_ASSERT(all[i].sequence == model.first + i);
    RC_ASSERT(all[i].bytes == model.records.at(all[i].sequence));
    RC_ASSERT(all[i].appended == second(static_cast<std::int64_t>(all[i].sequence)));
  }
}

// The machine stops: of what was not synced, any part of the last segment is there.
void lose_power(const TestFolder& folder, Model& model) {
  const std::string last = folder.segments().back();
  const std::uint64_t size = std::filesystem::file_size(last);
  const auto cut = *rc::gen::inRange<std::uint64_t>(model.sure_bytes(last), size + 1);
  std::filesystem::resize_file(last, cut);
}

RC_GTEST_PROP(SpoolModel, KeepsWhatItWasTold, ()) {
  const TestFolder folder(TestFolder::Where::memory);
  Spool::Options options;
  options.folder = folder.spool();
  options.segment_bytes = *rc::gen::inRange<std::uint64_t>(64, 600);
  options.most_bytes = *rc::gen::element<std::uint64_t>(1500, 1 << 20);
  auto spool = open_spool(options);
  Model model;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 16));
  for (const int step : steps) {
    if (step < 8) {
      const std::string record(*rc::gen::inRange<std::size_t>(0, 200),
                               static_cast<char>('a' + model.next % 26));
      const auto sequence = spool->append(record, second(static_cast<std::int64_t>(model.next)));
      RC_ASSERT(sequence.has_value());
      RC_ASSERT(*sequence == model.next);
      model.records[model.next++] = record;
      model.dropped += spool->first() - model.first;
      model.first = spool->first();
    } else if (step < 10) {
      RC_ASSERT(spool->sync(model.next - 1).has_value());
      model.synced = model.next - 1;
      model.synced_file = folder.segments().back();
      model.synced_bytes = std::filesystem::file_size(model.synced_file);
    } else if (step < 12) {
      const auto to = *rc::gen::inRange<std::uint64_t>(0, model.next + 2);
      spool->release(to);
      model.first = std::max(model.first, std::min(to + 1, model.next));
    } else if (step < 13) {
      const auto before = *rc::gen::inRange<std::uint64_t>(0, model.next + 2);
      spool->release_before(second(static_cast<std::int64_t>(before)));
      model.first = std::max(model.first, std::min(before, model.next));
    } else if (step < 14) {
      check_records(*spool, model);
    } else {
      spool.reset();
      if (step == 15) lose_power(folder, model);
      spool = open_spool(options);
      RC_ASSERT(spool->next() > model.synced && spool->next() <= model.next);
      model.next = spool->next();
      if (model.first > model.next) {  // released, then lost: its numbers are not given again
        RC_FAIL("a number that was released comes back");
      }
      check_records(*spool, model);
      model.synced = model.next - 1;
      model.synced_file = folder.segments().back();
      model.synced_bytes = std::filesystem::file_size(model.synced_file);
    }
    check(*spool, model, folder, options.most_bytes);
  }
  check_records(*spool, model);
}

}  // namespace
}  // namespace beaconry
