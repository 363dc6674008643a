#!/usr/bin/env python3
"""Builds the Debian package of hikae from a program that is built already.

  build_deb.py --binary build/release/hikae [--output DIR]

What engines need, fence.so, front.so and hikae-keeper, is taken from beside it. Needs dpkg-deb and
the libraries that the program uses, as packages. Prints the path of the package.
"""

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PACKAGING = os.path.join(ROOT, "packaging")
# What the program starts, and what its package's scripts need.
RECOMMENDS = "valkey-server | redis-server"
MODULES = ("fence.so", "front.so", "hikae-keeper")  # for engines
SCRIPTS = ("postinst", "prerm", "postrm")
FIXED_TIME = 1_700_000_000  # the same files give the same package


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def project_version():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(hikae VERSION ([0-9.]+)", file.read()).group(1)


def upstream(version):
    """The version without the epoch and Debian's own part, as a lower bound."""
    return version.rsplit("-", 1)[0]


def dependencies(binary):
    """The packages of the shared libraries, each at least as new as here."""
    paths = re.findall(r"=> (/\S+)", output_of("ldd", binary))
    found = {}
    for path in paths:
        # dpkg knows a file by the name with or without /usr in front.
        for name in (path, os.path.realpath(path), path.removeprefix("/usr")):
            answer = subprocess.run(["dpkg-query", "-S", name], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True, check=False)
            if answer.returncode == 0:
                package = answer.stdout.split(":", 1)[0]
                found[package] = output_of("dpkg-query", "-W", "-f", "${Version}", package)
                break
        else:
            raise SystemExit(f"build_deb: no package owns {path}, which {binary} needs")
    needed = [f"{name} (>= {upstream(version)})" for name, version in sorted(found.items())]
    return ", ".join(["adduser", *needed])


def put(source, tree, target, mode=0o644):
    path = os.path.join(tree, target)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copyfile(source, path)
    os.chmod(path, mode)
    return path


def put_compressed(source, tree, target):
    path = os.path.join(tree, target)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(source, "rb") as file, open(path, "wb") as raw, \
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=FIXED_TIME) as packed:
        packed.write(file.read())
    os.chmod(path, 0o644)


def module_of(binary, name):
    return os.path.join(os.path.dirname(os.path.abspath(binary)), name)


def lay_out(binary, tree):
    program = put(binary, tree, "usr/bin/hikae", 0o755)
    subprocess.run(["strip", "--strip-unneeded", program], check=True)
    for name in MODULES:
        module = put(module_of(binary, name), tree, f"usr/lib/hikae/{name}", 0o755)
        subprocess.run(["strip", "--strip-unneeded", module], check=True)
    for unit in ("hikae-server.service", "hikae-agent.service"):
        put(os.path.join(PACKAGING, "systemd", unit), tree, f"lib/systemd/system/{unit}")
    for name in ("server.toml", "agent.toml"):
        put(os.path.join(PACKAGING, "etc", name), tree, f"etc/hikae/{name}")
    put_compressed(os.path.join(PACKAGING, "man", "hikae.1"), tree,
                   "usr/share/man/man1/hikae.1.gz")
    put(os.path.join(ROOT, "LICENSE"), tree, "usr/share/doc/hikae/copyright")
    put(os.path.join(ROOT, "NOTICE"), tree, "usr/share/doc/hikae/NOTICE")
    put(os.path.join(ROOT, "docs", "operations.md"), tree, "usr/share/doc/hikae/operations.md")
    put(os.path.join(ROOT, "docs", "configuration.md"), tree,
        "usr/share/doc/hikae/configuration.md")


def write_control(binary, tree, version, architecture):
    for script in SCRIPTS:
        put(os.path.join(PACKAGING, "debian", script), tree, f"DEBIAN/{script}", 0o755)
    put(os.path.join(PACKAGING, "debian", "conffiles"), tree, "DEBIAN/conffiles")
    size = sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(tree) for name in names) // 1024
    fields = {
        "Package": "hikae", "Version": version, "Architecture": architecture,
        "Maintainer": "The Hikae developers <hikae@localhost>", "Section": "database",
        "Priority": "optional", "Installed-Size": str(size),
        "Depends": dependencies(binary), "Recommends": RECOMMENDS,
        "Description": "Amazon ElastiCache on your own machines\n"
                       " Serves the Amazon ElastiCache API, runs Valkey and Redis for it on one\n"
                       " or several machines, and fails over when a primary dies.",
    }
    with open(os.path.join(tree, "DEBIAN", "control"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}: {value}\n" for name, value in fields.items())


def set_times(tree):
    for folder, folders, names in os.walk(tree):
        os.chmod(folder, 0o755)
        for name in (*folders, *names):
            os.utime(os.path.join(folder, name), (FIXED_TIME, FIXED_TIME))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "hikae"))
    parser.add_argument("--output", default=".")
    options = parser.parse_args()
    for needed in (options.binary, *(module_of(options.binary, name) for name in MODULES)):
        if not os.path.isfile(needed):
            print(f"build_deb: there is no {needed}; build it first, or name another with "
                  "--binary", file=sys.stderr)
            return 1
    version = project_version()
    architecture = output_of("dpkg", "--print-architecture").strip()
    os.makedirs(options.output, exist_ok=True)
    package = os.path.join(options.output, f"hikae_{version}_{architecture}.deb")
    with tempfile.TemporaryDirectory(prefix="hikae-deb-") as tree:
        lay_out(options.binary, tree)
        write_control(options.binary, tree, version, architecture)
        set_times(tree)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(FIXED_TIME)}
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, package], check=True,
                       stdout=subprocess.DEVNULL, env=environment)
    print(package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
