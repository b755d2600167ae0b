#include "common/run_briefly.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(RunBriefly, gives_what_a_program_wrote_or_why_it_refused) {
  const auto good = run_briefly({"/bin/sh", "-c", "echo one; echo two"});
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "one\ntwo\n");
  const auto bad = run_briefly({"/bin/sh", "-c", "echo 'no such key' >&2; echo more; exit 2"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().cause, "no such key");
  EXPECT_FALSE(run_briefly({"/no/such/program"}));
}

}  // namespace
}  // namespace beaconry
