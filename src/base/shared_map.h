#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace hikae {

// A map of texts that is copied by reference and changed by copy. For values that travel through
// many messages and hardly ever change: a thousand nodes with the same parameters share one map.
class SharedMap {
 public:
  using Map = std::map<std::string, std::string>;

  SharedMap() = default;
  SharedMap(Map map) : map_(std::make_shared<const Map>(std::move(map))) {}
  SharedMap(std::initializer_list<Map::value_type> values) : SharedMap(Map(values)) {}

  const Map& get() const {
    static const Map kEmpty;
    return map_ == nullptr ? kEmpty : *map_;
  }
  operator const Map&() const { return get(); }
  Map::const_iterator begin() const { return get().begin(); }
  Map::const_iterator end() const { return get().end(); }
  bool empty() const { return get().empty(); }
  std::size_t size() const { return get().size(); }
  bool contains(const std::string& key) const { return get().contains(key); }
  const std::string& at(const std::string& key) const { return get().at(key); }

  void set(const std::string& key, std::string value) {
    Map changed = get();
    changed[key] = std::move(value);
    map_ = std::make_shared<const Map>(std::move(changed));
  }
  void erase(const std::string& key) {
    Map changed = get();
    changed.erase(key);
    map_ = std::make_shared<const Map>(std::move(changed));
  }

  friend bool operator==(const SharedMap& a, const SharedMap& b) {
    return a.map_ == b.map_ || a.get() == b.get();
  }

 private:
  std::shared_ptr<const Map> map_;
};

}  // namespace hikae
