#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/resource/ids.h"
#include "core/resource/tags.h"

namespace hikae::core {

struct SubnetGroup {
  using Key = SubnetGroupName;
  static constexpr const char* kKind = "subnet_group";
  SubnetGroupName name;
  std::string description;
  VpcId vpc;
  std::vector<SubnetId> subnets;  // in the order the client gave
  Tags tags;
  const Key& key() const { return name; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("description", s.description);
    v("vpc", s.vpc);
    v("subnets", s.subnets);
    v("tags", s.tags);
  }
};

// A customer's parameter group. The default groups of the families are not resources: they come
// from the catalog (core/catalog/parameter_family.h) and never change.
struct ParameterGroup {
  using Key = ParameterGroupName;
  static constexpr const char* kKind = "parameter_group";
  ParameterGroupName name;
  std::string family;  // `redis2.8`, `valkey8`
  std::string description;
  std::map<std::string, std::string> overrides;  // changed values only, by parameter name
  Tags tags;
  const Key& key() const { return name; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("family", s.family);
    v("description", s.description);
    v("overrides", s.overrides);
    v("tags", s.tags);
  }
};

}  // namespace hikae::core
