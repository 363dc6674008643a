#include "api/pattern.h"

#include <bitset>
#include <vector>

#include "base/check.h"

namespace hikae::api {
namespace {

// One character of the pattern with its repetition.
struct Atom {
  std::bitset<256> allowed;
  bool may_be_absent = false;
  bool may_repeat = false;
};

unsigned char byte(char c) {
  return static_cast<unsigned char>(c);
}

void add_range(std::bitset<256>& set, char first, char last) {
  for (int c = byte(first); c <= byte(last); ++c) {
    set.set(static_cast<std::size_t>(c));
  }
}

// `rest` starts behind the backslash; one character is taken.
std::bitset<256> take_escape(std::string_view& rest) {
  HIKAE_CHECK(!rest.empty());
  const char c = rest.front();
  rest.remove_prefix(1);
  std::bitset<256> set;
  if (c == 'd') {
    add_range(set, '0', '9');
  } else if (c == 'S') {
    set.set();
    for (const char space : {' ', '\t', '\n', '\v', '\f', '\r'}) {
      set.reset(byte(space));
    }
  } else {
    set.set(byte(c));
  }
  return set;
}

// `rest` starts behind the `[`; everything up to and with the `]` is taken.
std::bitset<256> take_class(std::string_view& rest) {
  std::bitset<256> set;
  while (!rest.starts_with(']')) {
    HIKAE_CHECK(!rest.empty());
    const char first = rest.front();
    rest.remove_prefix(1);
    if (first == '\\') {
      set |= take_escape(rest);
    } else if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      add_range(set, first, rest[1]);
      rest.remove_prefix(2);
    } else {
      set.set(byte(first));
    }
  }
  rest.remove_prefix(1);
  return set;
}

std::bitset<256> take_characters(std::string_view& rest) {
  const char c = rest.front();
  rest.remove_prefix(1);
  if (c == '[') {
    return take_class(rest);
  }
  if (c == '\\') {
    return take_escape(rest);
  }
  std::bitset<256> set;
  if (c == '.') {
    set.set();
    set.reset(byte('\n'));
  } else {
    set.set(byte(c));
  }
  return set;
}

std::vector<Atom> parse(std::string_view pattern) {
  std::vector<Atom> atoms;
  while (!pattern.empty()) {
    Atom atom{.allowed = take_characters(pattern)};
    if (!pattern.empty() && (pattern[0] == '*' || pattern[0] == '+' || pattern[0] == '?')) {
      atom.may_be_absent = pattern[0] != '+';
      atom.may_repeat = pattern[0] != '?';
      pattern.remove_prefix(1);
    }
    atoms.push_back(atom);
  }
  return atoms;
}

// Position i means: the next character is for atom i. An atom that may be absent can be skipped.
void skip_absent(const std::vector<Atom>& atoms, std::vector<bool>& positions) {
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (positions[i] && atoms[i].may_be_absent) {
      positions[i + 1] = true;
    }
  }
}

}  // namespace

bool matches_pattern(std::string_view text, std::string_view pattern) {
  const std::vector<Atom> atoms = parse(pattern);
  // An atom that repeats keeps its position and becomes optional, so it needs two: `x+` is `xx*`.
  std::vector<Atom> steps;
  for (const Atom& atom : atoms) {
    if (atom.may_repeat && !atom.may_be_absent) {
      steps.push_back(Atom{.allowed = atom.allowed});
    }
    Atom step = atom;
    step.may_be_absent = atom.may_be_absent || atom.may_repeat;
    steps.push_back(step);
  }

  std::vector<bool> positions(steps.size() + 1, false);
  positions[0] = true;
  skip_absent(steps, positions);
  for (const char c : text) {
    std::vector<bool> next(steps.size() + 1, false);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (positions[i] && steps[i].allowed.test(byte(c))) {
        next[steps[i].may_repeat ? i : i + 1] = true;
      }
    }
    skip_absent(steps, next);
    positions = std::move(next);
  }
  return positions[steps.size()];
}

}  // namespace hikae::api
