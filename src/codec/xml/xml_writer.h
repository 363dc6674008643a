#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/query/response_writer.h"

namespace hikae::codec {

// Appends `value` so that it may stand between tags or in a quoted attribute: & < > " ' become
// entities, characters that XML 1.0 forbids are dropped, bytes that are not UTF-8 become U+FFFD.
void append_xml_escaped(std::string& out, std::string_view value);

// Whether the value comes back from an XML answer as it is: UTF-8 without characters that XML 1.0
// forbids.
bool is_xml_text(std::string_view value);

// Writes elements one after another, without blanks between them. A structure or list without
// children is written as `<Name/>`.
class XmlWriter final : public ResponseWriter {
 public:
  void begin_structure(std::string_view name) override;
  // The same with `xmlns="<xml_namespace>"`, for the outermost element.
  void begin_structure(std::string_view name, std::string_view xml_namespace);
  void end_structure() override { close(); }
  void begin_list(std::string_view name, std::string_view item_name) override;
  void end_list() override { close(); }
  void text(std::string_view name, std::string_view value) override;
  void integer(std::string_view name, std::int64_t value) override;
  void boolean(std::string_view name, bool value) override;
  void number(std::string_view name, double value) override;
  void timestamp(std::string_view name, Instant value) override;

  // Bytes written so far; a whole document once everything begun is ended.
  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  struct Open {
    std::string name;
    std::string item_name;  // empty for a structure
  };

  void open(std::string_view name, std::string_view item_name, std::string_view xml_namespace);
  void close();
  std::string_view effective_name(std::string_view name) const;
  void finish_start_tag();
  void begin_leaf(std::string_view name);
  void end_leaf(std::string_view name);
  void leaf(std::string_view name, std::string_view plain_value);

  std::string out_;
  std::vector<Open> stack_;
  bool start_tag_open_ = false;  // `<Name` is written, `>` or `/>` is not
};

}  // namespace hikae::codec
