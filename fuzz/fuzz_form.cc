// Query parameters: parsing, the tree of names, lists, scalars, and the writers with what came in.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/query/form.h"
#include "codec/query/query_node.h"
#include "codec/query/scalars.h"
#include "codec/text/encoding.h"
#include "codec/xml/json_writer.h"
#include "codec/xml/xml_writer.h"

using namespace hikae::codec;

namespace {

std::size_t visit(const QueryNode& root) {
  std::size_t visited = 0;
  std::vector<const QueryNode*> waiting = {&root};
  while (!waiting.empty()) {
    const QueryNode& node = *waiting.back();
    waiting.pop_back();
    ++visited;
    for (const QueryNode* child : node.children()) {
      HIKAE_CHECK(node.child(child->token()) == child);
      waiting.push_back(child);
    }
    HIKAE_CHECK(node.flat_items().size() <= node.children().size());
    for (const QueryNode* item : node.wrapped_items()) {
      HIKAE_CHECK(item != nullptr);
    }
    if (const std::string* value = node.value()) {
      parse_bool(*value);
      parse_int32(*value);
      parse_double(*value);
      parse_timestamp(*value);
      base64_decode(*value);
    }
  }
  return visited;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  XmlWriter xml;
  xml.begin_structure("R");
  xml.text("raw", text);
  xml.end_structure();
  HIKAE_CHECK(is_valid_utf8(xml.str()));

  const auto form = Form::parse(text);
  if (!form) {
    return 0;
  }
  JsonWriter json;
  for (const Parameter& parameter : form->parameters()) {
    HIKAE_CHECK(form->find(parameter.name) != nullptr);
    json.text(parameter.name, parameter.value);
  }
  HIKAE_CHECK(is_valid_utf8(json.take()));
  if (const auto tree = build_query_tree(*form)) {
    HIKAE_CHECK(visit(tree->root()) <= 1 + form->parameters().size() * kMaxQueryDepth);
  }
  return 0;
}
