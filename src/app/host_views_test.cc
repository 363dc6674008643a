#include "app/host_views.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace hikae::app {
namespace {

// What the list of hosts says of how this one's engines are fenced.
std::string fences_of(bool fences, bool keeps) {
  HostView host;
  host.fences = fences;
  host.keeps = keeps;
  const auto rows = host_rows({host});
  const auto column = std::find(rows[0].begin(), rows[0].end(), "FENCES") - rows[0].begin();
  return rows[1][std::size_t(column)];
}

TEST(HostRows, SayHowEnginesAreFenced) {
  EXPECT_EQ(fences_of(false, false), "no");
  EXPECT_EQ(fences_of(true, false), "yes");
  EXPECT_EQ(fences_of(true, true), "by keepers");
}

}  // namespace
}  // namespace hikae::app
