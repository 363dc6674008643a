#include "adapters/store_etcd/layout.h"

#include <gtest/gtest.h>

namespace hikae::etcd {
namespace {

using storage::RowChange;

RowChange row(std::string id, std::size_t size) {
  return RowChange{"event", std::move(id), std::string(size, 'x'), false};
}

TEST(EtcdLayout, ARowIsFoundByItsKey) {
  const Layout layout("/hikae/eu-west-1");
  const RowChange written{"vpc", "a/b", "{}", false};
  EXPECT_EQ(layout.row(written), "/hikae/eu-west-1/state/row/vpc/a/b");
  const auto read = layout.row_of(layout.row(written));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, "vpc");
  EXPECT_EQ(read->id, "a/b");
  for (const char* other : {"/hikae/eu-west-1/state/head", "/hikae/eu-west-1/state/row/vpc", "",
                            "/hikae/eu-west-10/state/row/vpc/a"}) {
    EXPECT_FALSE(layout.row_of(other)) << other;
  }
}

TEST(EtcdLayout, TheHeadOfANewerVersionIsRefused) {
  Head head;
  head.revision = core::Revision(12);
  head.writer = "me-1";
  head.staged = "abc";
  head.chunks = 2;
  const auto again = head_of(to_value(head));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->revision, core::Revision(12));
  EXPECT_EQ(again->staged, "abc");
  EXPECT_EQ(again->chunks, 2u);
  head.format = Head::kFormat + 1;
  EXPECT_EQ(head_of(to_value(head)).error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(head_of("junk"));
}

TEST(EtcdLayout, TransactionsStayWithinTheLimitsOfEtcd) {
  std::vector<RowChange> rows;
  for (int i = 0; i < 500; ++i) {
    rows.push_back(row(std::to_string(i), std::size_t(i) * 100));
  }
  EXPECT_FALSE(fits_one_transaction(rows));
  const auto parts = in_transactions(rows);
  std::vector<RowChange> all;
  for (const auto& part : parts) {
    EXPECT_TRUE(fits_one_transaction(part));
    all.insert(all.end(), part.begin(), part.end());
  }
  EXPECT_EQ(all, rows);
  EXPECT_TRUE(in_transactions({}).empty());
}

TEST(EtcdLayout, ARowThatEtcdWouldRefuseIsNamed) {
  EXPECT_TRUE(check_sizes({row("1", 1000)}));
  const Status refused = check_sizes({row("1", 1000), row("77", kMaxRowBytes)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  EXPECT_NE(refused.error().message.find("event 77"), std::string::npos);
}

TEST(EtcdLayout, OfEachKeyTheLastChangeCounts) {
  RowChange removed = row("1", 0);
  removed.removed = true;
  const auto rows = last_of_each({row("1", 5), row("2", 5), removed, row("2", 6)});
  ASSERT_EQ(rows.size(), 2u);
  for (const RowChange& kept : rows) {
    EXPECT_TRUE(kept == removed || kept == row("2", 6));
  }
}

TEST(EtcdLayout, AStagedChangeIsWholeOrRefused) {
  std::vector<RowChange> rows;
  for (int i = 0; i < 3000; ++i) {
    rows.push_back(row(std::to_string(i), 1000));
  }
  rows.push_back(RowChange{"vpc", "v", "", true});
  const Staged staged = stage(rows);
  EXPECT_GT(staged.chunks.size(), 4u);
  for (const std::string& chunk : staged.chunks) {
    EXPECT_LE(chunk.size(), kChunkBytes);
  }
  const auto again = unstage(staged.name, staged.chunks);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, rows);
  auto fewer = staged.chunks;
  fewer.pop_back();
  EXPECT_EQ(unstage(staged.name, fewer).error().code, ErrorCode::kInvalid);
  auto changed = staged.chunks;
  changed[0][100] ^= 1;
  EXPECT_FALSE(unstage(staged.name, changed));
}

}  // namespace
}  // namespace hikae::etcd
