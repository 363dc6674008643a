#!/usr/bin/env python3
"""The repository's own rules, checked as a test (lint.repository).

Prints one line `path:line: rule` for each break and exits 1 when there is any.
`tools/tidy.py --self-test` proves that every rule finds what it is for.
"""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MAX_FILE_LINES = 600
MAX_LINE_LENGTH = 100
SOURCE = (".h", ".cc")
SCRIPT = (".py", ".sh")
SKIPPED_FOLDERS = {"build", ".git", ".hikae", ".ccache", "node_modules", "__pycache__", "corpus"}

# What each floor may include besides itself. The words are floors, or folders and files below one.
FLOORS = {
    "base": [],
    "core": ["base"],
    "codec": ["base"],
    "dns": ["base", "core", "codec"],
    "asio": [],
    "storage": ["base", "core", "codec"],
    "net": ["base"],
    "control": ["base", "core"],
    "engine": ["base", "core", "codec", "control/ports.h", "control/snapshot_ports.h",
               "control/log_ports.h", "control/migration_ports.h"],
    "api": ["base", "core", "codec", "control"],
    "adapters": ["base", "core", "codec", "dns", "storage", "net", "control"],
    "console": ["base", "core", "codec", "control", "api"],
    "app": ["base", "core", "codec", "dns", "storage", "net", "control", "engine", "api",
            "adapters", "console"],
}
# Libraries that few may know (path prefixes -> the include of the library).
PRIVATE_LIBRARIES = [
    (("src/app/main/",), re.compile(r"#include <CLI/")),
    (("src/adapters/http/", "src/adapters/agent_rpc/", "src/net/"),
     re.compile(r"#include <boost/beast")),
    (("src/adapters/store_sqlite/",), re.compile(r"#include <(SQLiteCpp|sqlite3)")),
    (("src/adapters/telemetry/",), re.compile(r"#include <spdlog/")),
]

# (pattern, what to write instead, does the rule hold for this path)
BANNED = [
    (re.compile(r"std::random_device|\brand\(\)|\bmt19937"), "take a Random (base/random.h)",
     lambda p: p.endswith(SOURCE) and not p.startswith("src/adapters/system/")),
    (re.compile(r"_clock::now\(|\btime\(nullptr\)|\bgettimeofday\(|\bclock_gettime\("),
     "take the time as an argument, or a control::Clock",
     lambda p: p.startswith("src/") and not p.startswith("src/adapters/")
     and not p.endswith("_test.cc")),
    (re.compile(r"^\s*using namespace\b"), "name what you use", lambda p: p.endswith(".h")),
    (re.compile(r"\b(sleep|usleep|sleep_for)\("), "wait for a condition, not for a time",
     lambda p: p.endswith("_test.cc") and not p.startswith("src/adapters/system/")
     and not p.startswith("src/control/")),
    (re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b"), "do it, or leave it out",
     lambda p: p != "tools/tidy.py"),
    (re.compile(r"(/home/|/Users/|/root/)"), "no paths of one machine",
     lambda p: p != "tools/tidy.py"),
    (re.compile(r"\bassert\("), "HIKAE_CHECK stays on in release", lambda p: p.endswith(SOURCE)),
]

LAMBDA_WITH_CAPTURE = re.compile(
    r"\[[^\]\[]+\]\s*(\([^()]*\)\s*)?(mutable\s*|noexcept\s*)*(->\s*[\w:<>&* ]+)?\{")
MARKDOWN_TITLE = re.compile(r"^# ")


def repository_files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        for name in sorted(names):
            full = os.path.join(folder, name)
            if not os.path.islink(full):
                yield os.path.relpath(full, ROOT)


def is_generated(path):
    return "/generated/" in path or path.startswith("tools/golden/")


def check_include(path, include):
    """The layering rule; None, or what is wrong."""
    if not path.startswith("src/"):
        return None
    floor = path.split("/")[1]
    target = include.split("/")[0]
    if target not in FLOORS or floor not in FLOORS:
        return None
    if floor == target:
        if floor == "adapters" and path.split("/")[2] != include.split("/")[1]:
            return "adapters never include one another"
        return None
    allowed = FLOORS[floor]
    if any(include == a or include.startswith(a + "/") for a in allowed):
        return None
    return f"{floor} must not include {target}"


def coroutine_break(statement):
    """Spellings that compilers get wrong in a statement with co_await: a lambda with captures, a
    braced temporary, co_await inside a braced initialiser, and ?: with co_await."""
    at = statement.find("co_await")
    if at < 0:
        return None
    if LAMBDA_WITH_CAPTURE.search(statement):
        return "name the lambda before co_await"
    if re.search(r"co_await\b[^;]*[(,]\s*[\w:<>]*\{[^}]", statement):
        return "name the braced value before co_await"
    if re.search(r"\{[^{};]*\bco_await\b", statement) and "=" in statement.split("{")[0]:
        return "co_await first, then build the value"
    if re.search(r"\?[^:?]*co_await|co_await[^;]*\?[^;]*:", statement):
        return "use if and else around co_await"
    if re.search(r"\b(if|switch|while)\s*\(.*co_await[^;]*\{\s*\}", statement):
        return "name the argument before co_await"
    return None


def statements(text):
    """(line number, statement) for every piece of code, with strings and comments blanked. A piece
    keeps its braced arguments: it ends at a ; or a { or } outside of all brackets."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'R"(\w*)\(.*?\)\1"', '""', text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    line, start_line, depth, piece = 1, 1, 0, []
    for c in text:
        if c == "\n":
            line += 1
        if not piece and c.isspace():
            start_line = line
            continue
        if not piece:
            start_line = line
        before = "".join(piece[-16:]).rstrip() if c == "{" else ""
        piece.append(c)
        initialiser = before.endswith(("=", "return"))
        if c == "(" or (c == "{" and (depth > 0 or initialiser)):
            depth += 1
        elif c == ")" or (c == "}" and depth > 0):
            depth = max(0, depth - 1)
        elif depth == 0 and c in ";{}":
            yield start_line, "".join(piece)
            piece = []


def check_source(path, text, report):
    lines = text.split("\n")
    if len(lines) - 1 > MAX_FILE_LINES and not is_generated(path):
        report(path, MAX_FILE_LINES, f"longer than {MAX_FILE_LINES} lines")
    includes = [(n, m.group(1)) for n, l in enumerate(lines, 1)
                if (m := re.match(r'#include "([^"]+)"', l))]
    for number, include in includes:
        wrong = check_include(path, include)
        if wrong:
            report(path, number, wrong)
        if not include.startswith("gtest") and path.startswith("src/"):
            if not os.path.exists(os.path.join(ROOT, "src", include)):
                report(path, number, f"includes are written from src/: {include}")
    for number, line in enumerate(lines, 1):
        for homes, library in PRIVATE_LIBRARIES:
            if library.match(line) and path.startswith("src/") and not path.startswith(homes):
                report(path, number, f"only {' and '.join(homes)} may know this library")
    if path.endswith(".h"):
        first = next((l for l in lines if l and not l.startswith("//")), "")
        if first != "#pragma once":
            report(path, 1, "#pragma once comes first")
    elif path.startswith("src/"):
        own = path[len("src/"):-len(".cc")] + ".h"
        if os.path.exists(os.path.join(ROOT, "src", own)):
            first = next((l for l in lines if l.startswith("#include")), "")
            if first != f'#include "{own}"':
                report(path, 1, "its own header comes first")
    for number, statement in statements(text):
        wrong = coroutine_break(statement)
        if wrong:
            report(path, number, wrong)


def check_file(path, text, report):
    if path.endswith(SOURCE + SCRIPT):
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > MAX_LINE_LENGTH and not is_generated(path):
                report(path, number, f"longer than {MAX_LINE_LENGTH} columns")
            if line.rstrip() != line:
                report(path, number, "blanks at the end")
            for pattern, instead, applies in BANNED:
                if applies(path) and pattern.search(line):
                    report(path, number, f"{pattern.search(line).group(0).strip()}: {instead}")
    if path.endswith(SOURCE):
        check_source(path, text, report)
    if path.endswith(".md"):
        fenced = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
        titles = sum(1 for line in fenced.split("\n") if MARKDOWN_TITLE.match(line))
        if titles != 1:
            report(path, 1, f"has {titles} titles (`# `), not one")


def check_format(paths, report):
    formatter = shutil.which("clang-format-19")
    if formatter is None:
        print("tidy: clang-format-19 is not installed, layout not checked")
        return
    for start in range(0, len(paths), 50):
        command = [formatter, "--dry-run", "-Werror", *paths[start:start + 50]]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        first = {}
        for match in re.finditer(r"^(\S+?):(\d+):\d+: (error|warning):", run.stderr, flags=re.M):
            first.setdefault(match.group(1), int(match.group(2)))
        for path, line in first.items():
            report(path, line, f"run clang-format-19 -i {path}")


def check_repository():
    breaks = []

    def report(path, line, what):
        breaks.append(f"{path}:{line}: {what}")

    formatted = []
    count = 0
    for path in repository_files():
        if not path.endswith(SOURCE + SCRIPT + (".md",)):
            continue
        count += 1
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            check_file(path, f.read(), report)
        if path.endswith(SOURCE) and not is_generated(path):
            formatted.append(path)
    check_format(formatted, report)
    seen = set()
    for line in breaks:
        if line not in seen:
            print(line)
        seen.add(line)
    print(f"tidy: {count} files, {len(seen)} breaks")
    return 1 if breaks else 0


GOOD_COROUTINES = [
    "const auto r = co_await f(x, std::move(y));",
    "co_await timer.async_wait(token);",
    "auto op = run([x] { return x; });",
    "co_return co_await boost::asio::co_spawn(pool, std::move(operation), use_awaitable);",
    "if (!co_await ready(name)) {",
    "co_await f(std::string(\"{\"));",
    "co_await clock_.sleep_for(std::chrono::milliseconds(20));",
]
BAD_COROUTINES = [
    "co_await f([x] { return x; });",
    "co_await call(Req{.name = n});",
    "co_await call({a, b});",
    "Agg a = {co_await f(x)};",
    "auto r = c ? co_await a(x) : co_await b(x);",
    "if (co_await f(Temporary{}) > 0) {",
]
BAD_INCLUDES = [
    ("src/base/a.h", "core/b.h"),
    ("src/core/a.h", "codec/b.h"),
    ("src/engine/a.h", "control/frontend.h"),
    ("src/adapters/http/a.h", "adapters/system/files.h"),
    ("src/control/a.h", "app/config.h"),
]
BAD_LINES = [
    ("src/core/a.cc", "auto now = std::chrono::steady_clock::now();"),
    ("src/core/a.cc", "std::random_device seed;"),
    ("src/core/a.h", "using namespace std;"),
    ("src/core/a_test.cc", "  sleep(1);"),
    ("src/core/a.cc", "// TO" + "DO later"),
    ("docs/a.py", "path = '/ho" + "me/me'"),
    ("src/core/a.cc", "x" * 101),
]


def self_test():
    wrong = []
    for text in GOOD_COROUTINES:
        for _, statement in statements(text):
            if coroutine_break(statement):
                wrong.append(f"refused: {text}")
    for text in BAD_COROUTINES:
        if not any(coroutine_break(s) for _, s in statements(text)):
            wrong.append(f"accepted: {text}")
    for path, include in BAD_INCLUDES:
        if not check_include(path, include):
            wrong.append(f"accepted: {path} includes {include}")
    if check_include("src/app/a.cc", "adapters/system/files.h"):
        wrong.append("refused: app includes an adapter")
    for path, line in BAD_LINES:
        found = []
        check_file(path, line, lambda *a, into=found: into.append(a))
        if not found:
            wrong.append(f"accepted: {path}: {line}")
    for line in wrong:
        print(line)
    print(f"tidy --self-test: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--self-test"]):
        print(__doc__)
        sys.exit(2)
    sys.exit(self_test() if sys.argv[1:] else check_repository())
