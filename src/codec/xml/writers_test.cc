#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/text/encoding.h"
#include "codec/xml/json_writer.h"
#include "codec/xml/xml_writer.h"

namespace hikae::codec {
namespace {

std::string escaped(std::string_view value) {
  std::string out;
  append_xml_escaped(out, value);
  return out;
}

TEST(XmlText, IsWhatComesBackAsItIs) {
  for (const std::string_view good : {"", "plain <&>", "tab\tline\nreturn\r", "\x7F",
                                      "\u00e9\u63a7\U0001f9e8", "\u202e", "\uFFFD"}) {
    EXPECT_TRUE(is_xml_text(good)) << good;
  }
  using std::string_view_literals::operator""sv;
  for (const std::string_view bad : {"a\0b"sv, "\x01"sv, "\x1B[31m"sv, "\x0B"sv, "\xEF\xBF\xBE"sv,
                                     "\xEF\xBF\xBF"sv, "\xFF"sv, "\xC3"sv, "\xED\xA0\x80"sv}) {
    EXPECT_FALSE(is_xml_text(bad)) << escaped(bad);
  }
}

// One answer, written through the interface as the generated code does.
void write_answer(ResponseWriter& writer) {
  writer.begin_structure("DescribeResult");
  writer.text("Marker", "a<b");
  writer.begin_list("Clusters", "Cluster");
  writer.begin_structure("ignored");
  writer.integer("Num", -3);
  writer.boolean("Auto", true);
  writer.timestamp("Created", Instant(1'422'902'817'972'000));
  writer.begin_structure("Pending");
  writer.end_structure();
  writer.end_structure();
  writer.end_list();
  writer.begin_list("Groups", "member");
  writer.end_list();
  writer.begin_list("Users", "member");
  writer.text("", "u1");
  writer.text("", "u2");
  writer.end_list();
  writer.number("Ratio", 0.5);
  writer.end_structure();
}

TEST(XmlWriter, WritesTheShapeOfAnAnswer) {
  XmlWriter writer;
  writer.begin_structure("DescribeResponse", "http://example.com/doc/");
  write_answer(writer);
  writer.end_structure();
  EXPECT_EQ(writer.str(),
            "<DescribeResponse xmlns=\"http://example.com/doc/\"><DescribeResult>"
            "<Marker>a&lt;b</Marker><Clusters><Cluster><Num>-3</Num><Auto>true</Auto>"
            "<Created>2015-02-02T18:46:57.972Z</Created><Pending/></Cluster></Clusters><Groups/>"
            "<Users><member>u1</member><member>u2</member></Users><Ratio>0.5</Ratio>"
            "</DescribeResult></DescribeResponse>");
}

TEST(JsonWriter, WritesTheSameAnswerAsJson) {
  JsonWriter writer;
  write_answer(writer);
  EXPECT_EQ(writer.take(),
            R"({"DescribeResult":{"Marker":"a<b","Clusters":[{"Num":-3,"Auto":true,)"
            R"("Created":1422902817.972,"Pending":{}}],"Groups":[],"Users":["u1","u2"],)"
            R"("Ratio":0.5}})");
}

TEST(XmlWriter, EmptyStringIsAnElementToo) {
  XmlWriter writer;
  writer.begin_structure("A");
  writer.text("B", "");
  writer.end_structure();
  EXPECT_EQ(writer.str(), "<A><B></B></A>");
}

TEST(XmlEscape, MarkupAndForbiddenCharacters) {
  EXPECT_EQ(escaped("&<>\"'"), "&amp;&lt;&gt;&quot;&apos;");
  EXPECT_EQ(escaped(std::string_view("a\0b\x01\x1F\t\n\r", 8)), "ab\t\n&#13;");
  EXPECT_EQ(escaped("\xC3\xA9\xEF\xBF\xBF."), "\xC3\xA9.");
  EXPECT_EQ(escaped("x\xFFy\xE6\x8E"), "x\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD");
}

RC_GTEST_PROP(XmlEscape, AnyBytesBecomeHarmlessText, (const std::string& bytes)) {
  const std::string out = escaped(bytes);
  RC_ASSERT(is_valid_utf8(out));
  RC_ASSERT(out.find_first_of("<>\"'") == std::string::npos);
}

RC_GTEST_PROP(JsonWriter, AnyBytesGiveADocumentThatParses, (const std::string& bytes)) {
  JsonWriter writer;
  writer.text("value", bytes);
  boost::system::error_code error;
  const auto document = boost::json::parse(writer.take(), error);
  RC_ASSERT(!error);
  if (is_valid_utf8(bytes)) {
    RC_ASSERT(document.as_object().at("value").as_string() == bytes);
  }
}

}  // namespace
}  // namespace hikae::codec
