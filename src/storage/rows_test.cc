#include "storage/rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/record/record.h"

namespace hikae::storage {
namespace {

// Any bytes, but not many: a hundred are written and read no other way than ten.
constexpr int kTextSize = 10;
template <class T>
T short_one() {
  return *rc::gen::resize(kTextSize, rc::gen::arbitrary<T>());
}

// Fills every field that visit() lists with arbitrary values.
struct Filler {
  template <class T>
  void operator()(const char*, T& field) const {
    fill(field);
  }
  static void fill(std::string& s) { s = short_one<std::string>(); }
  static void fill(bool& b) { b = *rc::gen::arbitrary<bool>(); }
  template <std::integral T>
  static void fill(T& n) {
    n = *rc::gen::arbitrary<T>();
  }
  template <class Tag>
  static void fill(StrongId<Tag>& id) {
    id = StrongId<Tag>(short_one<std::string>());
  }
  template <class Tag>
  static void fill(StrongNumber<Tag>& n) {
    n = StrongNumber<Tag>(*rc::gen::arbitrary<std::uint64_t>());
  }
  static void fill(Instant& t) { t = Instant(*rc::gen::arbitrary<std::int64_t>()); }
  static void fill(Ipv4& a) { a = Ipv4(*rc::gen::arbitrary<std::uint32_t>()); }
  static void fill(Cidr& c) {
    const int length = *rc::gen::inRange(0, 33);
    c = *Cidr::parse(Cidr{Ipv4(*rc::gen::arbitrary<std::uint32_t>()), length}.str());
  }
  template <class T>
  static void fill(std::optional<T>& o) {
    if (*rc::gen::arbitrary<bool>()) {
      fill(o.emplace());
    }
  }
  template <class T>
  static void fill(std::vector<T>& v) {
    v.resize(*rc::gen::inRange<std::size_t>(0, 4));
    for (T& element : v) {
      fill(element);
    }
  }
  static void fill(std::map<std::string, std::string>& m) {
    m = short_one<std::map<std::string, std::string>>();
  }
  template <class T>
    requires codec::record_detail::Visitable<T>
  static void fill(T& value) {
    T::visit(value, Filler());
  }
};

template <class T>
void every_value_survives_storage() {
  T value;
  Filler::fill(value);
  const RowChange row = to_row(core::Change(core::Put<T>{value}));
  core::Transition read;
  const Status status = add_row(row.kind, row.id, row.body, read);
  RC_ASSERT(status.has_value());
  const auto& again = std::get<core::Put<T>>(read.changes.at(0)).value;
  RC_ASSERT(again.key() == value.key());
  RC_ASSERT(codec::to_json(again) == codec::to_json(value));
}

template <class... T>
struct EveryKind {
  static void check() { (every_value_survives_storage<T>(), ...); }
};

RC_GTEST_PROP(Rows, EveryKindOfResourceSurvivesStorage, ()) {
  core::WithResources<EveryKind>::check();
}

TEST(Rows, ARemovalNamesKindAndId) {
  const RowChange row = to_row(core::Change(core::Remove<core::Event>{core::Event::Key(7)}));
  EXPECT_EQ(row.kind, "event");
  EXPECT_EQ(row.id, "7");
  EXPECT_TRUE(row.removed);
}

TEST(Rows, RemovalsAndLinesCanBeReadAgain) {
  core::Transition made;
  made.remove<core::Event>(core::Event::Key(18'446'744'073'709'551'615u));
  made.remove<core::Vpc>(core::VpcId("vpc/\"1\n"));
  for (const core::Change& change : made.changes) {
    const RowChange row = to_row(change);
    const auto again = from_line(to_line(row));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, row);
    core::Transition read;
    ASSERT_TRUE(add_change(*again, read));
    EXPECT_EQ(to_row(read.changes.at(0)), row);
  }
  core::Transition none;
  EXPECT_EQ(add_change({"event", "12x", "", true}, none).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(add_change({"spaceship", "s", "", true}, none).error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(from_line("{\"kind\":7}"));
  EXPECT_TRUE(none.empty());
}

TEST(Rows, DamageIsRefusedByName) {
  core::Transition read;
  EXPECT_EQ(add_row("vpc", "vpc-1", "{\"id\":4}", read).error().message,
            "stored vpc vpc-1 is damaged: id is not a string");
  EXPECT_EQ(add_row("vpc", "vpc-1", "{\"id\":\"vpc-2\"}", read).error().message,
            "stored vpc vpc-1 is damaged: its body names vpc-2");
  EXPECT_EQ(add_row("spaceship", "s", "{}", read).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(read.empty());
}

}  // namespace
}  // namespace hikae::storage
