#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/query/form.h"

namespace hikae::codec {

// The deepest name of the served models has 6 tokens.
inline constexpr std::size_t kMaxQueryDepth = 16;

// One place in the tree that the dotted parameter names of a query form describe:
// `NodeGroups.NodeGroup.1.Slots=0-100` is root / NodeGroups / NodeGroup / 1 / Slots with a value.
class QueryNode {
 public:
  QueryNode() = default;
  explicit QueryNode(std::string token) : token_(std::move(token)) {}

  // The part of the name between two dots; empty for the root.
  const std::string& token() const { return token_; }
  // nullptr when no parameter has this name or goes below it.
  const QueryNode* child(std::string_view name) const;
  // nullptr when the node only has children. The first one wins when a name is sent twice.
  const std::string* value() const { return value_ ? &*value_ : nullptr; }
  // Sorted by token.
  const std::vector<const QueryNode*>& children() const { return children_; }

  // Items of a list `X.<any token>.N`, ordered by N; gaps are tolerated, a token that is not a
  // number is ignored. Clients of different ages send different tokens (`member`, the item's name).
  std::vector<const QueryNode*> wrapped_items() const;
  // Items of a flattened list `X.N` (EC2), ordered by N.
  std::vector<const QueryNode*> flat_items() const;
  // True for a bare `X=`: the client sends an empty list, which is not an absent one.
  bool empty_list_marker() const { return value_ && value_->empty() && children_.empty(); }

 private:
  friend Result<class QueryTree> build_query_tree(const Form& form);

  std::string token_;
  std::optional<std::string> value_;
  std::vector<const QueryNode*> children_;
};

// Owns its nodes; independent of the Form it was built from. Nodes stay where they are when the
// tree is moved.
class QueryTree {
 public:
  QueryTree(QueryTree&&) = default;
  QueryTree& operator=(QueryTree&&) = default;
  QueryTree(const QueryTree&) = delete;
  QueryTree& operator=(const QueryTree&) = delete;

  const QueryNode& root() const { return nodes_.front(); }

 private:
  friend Result<QueryTree> build_query_tree(const Form& form);
  QueryTree() = default;

  std::deque<QueryNode> nodes_;  // the root first
};

// kExhausted when a name has more than kMaxQueryDepth tokens. Sorts once, then walks once.
Result<QueryTree> build_query_tree(const Form& form);

}  // namespace hikae::codec
