#include "codec/query/query_node.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <tuple>

#include <fmt/format.h>

namespace hikae::codec {
namespace {

// Orders names token by token: the dot sorts below every other character, so that all names below
// one node are neighbours and the children of a node come out sorted.
bool token_less(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '.' ? -1 : int(static_cast<unsigned char>(c)); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

// Nine digits: far more than kMaxParameters, and no overflow.
std::optional<std::uint32_t> list_index(const std::string& token) {
  constexpr std::size_t kMaxDigits = 9;
  std::uint32_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, error] = std::from_chars(token.data(), end, index);
  if (error != std::errc() || stop != end || token.size() > kMaxDigits) {
    return std::nullopt;
  }
  return index;
}

// The second number keeps equal indices in the order of the tree.
using Indexed = std::vector<std::tuple<std::uint32_t, std::size_t, const QueryNode*>>;

void collect_items(const QueryNode& parent, Indexed& out) {
  for (const QueryNode* node : parent.children()) {
    if (const auto index = list_index(node->token())) {
      out.emplace_back(*index, out.size(), node);
    }
  }
}

std::vector<const QueryNode*> in_order(Indexed items) {
  std::sort(items.begin(), items.end());
  std::vector<const QueryNode*> out;
  out.reserve(items.size());
  for (const auto& [index, position, node] : items) {
    out.push_back(node);
  }
  return out;
}

}  // namespace

const QueryNode* QueryNode::child(std::string_view name) const {
  const auto at = std::lower_bound(
      children_.begin(), children_.end(), name,
      [](const QueryNode* node, std::string_view wanted) { return node->token_ < wanted; });
  return at != children_.end() && (*at)->token_ == name ? *at : nullptr;
}

std::vector<const QueryNode*> QueryNode::wrapped_items() const {
  Indexed items;
  for (const QueryNode* infix : children_) {
    collect_items(*infix, items);
  }
  return in_order(std::move(items));
}

std::vector<const QueryNode*> QueryNode::flat_items() const {
  Indexed items;
  collect_items(*this, items);
  return in_order(std::move(items));
}

Result<QueryTree> build_query_tree(const Form& form) {
  std::vector<const Parameter*> sorted;
  sorted.reserve(form.parameters().size());
  for (const Parameter& parameter : form.parameters()) {
    sorted.push_back(&parameter);
  }
  // Equal names stay in the order of the wire: all parameters stand in one array.
  std::sort(sorted.begin(), sorted.end(), [](const Parameter* a, const Parameter* b) {
    return a->name == b->name ? a < b : token_less(a->name, b->name);
  });

  QueryTree tree;
  tree.nodes_.emplace_back();
  std::vector<QueryNode*> path = {&tree.nodes_.front()};  // the root and the nodes of one name
  for (const Parameter* parameter : sorted) {
    std::string_view rest = parameter->name;
    std::size_t depth = 0;
    for (bool more = true; more;) {
      if (++depth > kMaxQueryDepth) {
        return fail(ErrorCode::kExhausted,
                    fmt::format("a parameter name has more than {} parts", kMaxQueryDepth));
      }
      const auto dot = rest.find('.');
      const std::string_view token = rest.substr(0, dot);
      more = dot != std::string_view::npos;
      rest.remove_prefix(more ? dot + 1 : rest.size());
      if (depth < path.size() && path[depth]->token_ == token) {
        continue;
      }
      path.resize(depth);
      QueryNode& node = tree.nodes_.emplace_back(std::string(token));
      path.back()->children_.push_back(&node);
      path.push_back(&node);
    }
    path.resize(depth + 1);
    if (!path.back()->value_) {
      path.back()->value_ = parameter->value;
    }
  }
  return tree;
}

}  // namespace hikae::codec
