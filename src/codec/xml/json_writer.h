#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/query/response_writer.h"

namespace hikae::codec {

// The answer as JSON, for clients of the query protocol that ask with `ContentType=JSON` (boto 2).
// The document is one object; what is written at the outermost level are its members. Timestamps
// are seconds since 1970 with a fraction, as the query services answer in JSON.
class JsonWriter final : public ResponseWriter {
 public:
  JsonWriter() : out_("{") { stack_.push_back(Level{.is_list = false, .empty = true}); }

  void begin_structure(std::string_view name) override;
  void end_structure() override { close('}'); }
  void begin_list(std::string_view name, std::string_view item_name) override;
  void end_list() override { close(']'); }
  void text(std::string_view name, std::string_view value) override;
  void integer(std::string_view name, std::int64_t value) override;
  void boolean(std::string_view name, bool value) override;
  void number(std::string_view name, double value) override;
  void timestamp(std::string_view name, Instant value) override;

  // Ends the outermost object and hands the document over. Everything begun must be ended.
  std::string take();

 private:
  struct Level {
    bool is_list;
    bool empty;
  };

  void key(std::string_view name);
  void close(char bracket);

  std::string out_;
  std::vector<Level> stack_;
};

}  // namespace hikae::codec
