"""The Debian package: built by its one command, unpacked into a directory of its own, and served
from there."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from support import commands, package
from support.region import Region

FILES = {
    "./usr/bin/hikae": "-rwxr-xr-x",
    "./usr/lib/hikae/fence.so": "-rwxr-xr-x",
    "./usr/lib/hikae/front.so": "-rwxr-xr-x",
    "./usr/lib/hikae/hikae-keeper": "-rwxr-xr-x",
    "./lib/systemd/system/hikae-server.service": "-rw-r--r--",
    "./lib/systemd/system/hikae-agent.service": "-rw-r--r--",
    "./etc/hikae/server.toml": "-rw-r--r--",
    "./etc/hikae/agent.toml": "-rw-r--r--",
    "./usr/share/man/man1/hikae.1.gz": "-rw-r--r--",
    "./usr/share/doc/hikae/copyright": "-rw-r--r--",
}
COMMENT_OF_A_SETTING = re.compile(r"^# ?(?=[a-z_]+ = )", re.MULTILINE)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@unittest.skipUnless(shutil.which("dpkg-deb"), "needs dpkg-deb")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="hikae-package-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.package = package.built()
        cls.root = os.path.join(cls.directory, "root")
        run("dpkg-deb", "-x", cls.package, cls.root)

    def installed(self, path):
        return os.path.join(self.root, path)

    def read(self, path):
        with open(self.installed(path), encoding="utf-8") as file:
            return file.read()

    def test_it_holds_what_it_should(self):
        listed = {}
        for line in run("dpkg-deb", "-c", self.package).splitlines():
            mode, owner, *_, path = line.split()
            self.assertEqual(owner, "root/root", path)
            listed[path] = mode
        self.assertEqual({path: listed.get(path) for path in FILES}, FILES)
        control = run("dpkg-deb", "-f", self.package)
        self.assertRegex(control, r"(?m)^Depends: adduser, .*libssl3 \(>= ")
        self.assertRegex(control, r"(?m)^Version: \d+\.\d+\.\d+$")
        self.assertEqual(run("dpkg-deb", "-I", self.package, "conffiles").split(),
                         ["/etc/hikae/agent.toml", "/etc/hikae/server.toml"])

    def test_scripts_are_sound(self):
        for script in ("postinst", "prerm", "postrm"):
            text = run("dpkg-deb", "-I", self.package, script)
            subprocess.run(["sh", "-n"], input=text, check=True, text=True)

    def test_units_are_understood_and_let_engines_live(self):
        for unit in ("hikae-server.service", "hikae-agent.service"):
            text = self.read(f"lib/systemd/system/{unit}")
            self.assertIn("\nKillMode=process\n", text)
            self.assertIn("\nUser=hikae\n", text)
            if shutil.which("systemd-analyze"):
                self.verify_unit(unit, text)

    def verify_unit(self, unit, text):
        path = os.path.join(self.directory, unit)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/bin/hikae", self.installed("usr/bin/hikae")))
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", path],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 check=False)
        self.assertEqual([line for line in checked.stdout.splitlines() if unit in line], [])

    def test_the_agents_configuration_is_understood(self):
        text = COMMENT_OF_A_SETTING.sub("", self.read("etc/hikae/agent.toml"))
        path = os.path.join(self.directory, "agent.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(line for line in text.splitlines()
                                 if re.match(r"[a-z_]+ = ", line)) + '\nmax_nodes = 0\n')
        outcome = commands.run([self.installed("usr/bin/hikae"), "agent", "--config", path],
                               env=commands.bare_environment(), cwd=self.directory)
        # Every other line is right, so the one that is wrong is what it complains of.
        self.assertEqual(outcome.code, 2)
        self.assertIn("max_nodes", outcome.err)

    def test_the_program_serves_from_there(self):
        before = os.environ.get("HIKAE_BINARY")
        os.environ["HIKAE_BINARY"] = self.installed("usr/bin/hikae")
        self.addCleanup(self.restore_binary, before)
        region = Region("--config", self.installed("etc/hikae/server.toml"))
        self.addCleanup(region.dispose)
        region.start()
        self.assertEqual(os.readlink(f"/proc/{region.server.pid}/exe"),
                         os.path.realpath(self.installed("usr/bin/hikae")))
        self.assertEqual(region.elasticache.describe_cache_clusters()["CacheClusters"], [])
        region.stop()

    @staticmethod
    def restore_binary(before):
        if before is None:
            del os.environ["HIKAE_BINARY"]
        else:
            os.environ["HIKAE_BINARY"] = before


if __name__ == "__main__":
    unittest.main()
