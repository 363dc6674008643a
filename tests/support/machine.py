"""A machine of a test's own: this one's files, seen through a layer that is thrown away, with
systemd as its first process and a network of its own. Nothing of it outlives the test."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import unittest

from . import processes
from .waiting import eventually

SYSTEMD = "/lib/systemd/systemd"
# Services of this machine are none of that one's, and kernels have but one set of variables.
BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o size=1g none "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for name in null zero full random urandom tty; do
  : > dev/$name
  mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t tmpfs -o mode=1777 none dev/shm
mount -t tmpfs -o mode=755 none run
mount -t tmpfs -o mode=1777 none tmp
rm -rf etc/systemd/system/*.wants
for unit in systemd-sysctl systemd-modules-load systemd-remount-fs systemd-udevd systemd-binfmt; do
  ln -sf /dev/null etc/systemd/system/$unit.service
done
ip link set lo up
mkdir -p host
pivot_root . host
umount -l host
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin "$2" --unit=basic.target \
  --show-status=false
"""
NAMESPACES = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"]


def require():
    """Skips the test where such a machine cannot be made."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, to boot a machine in namespaces")
    for program in (SYSTEMD, "unshare", "nsenter", "ip", "dpkg"):
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"needs {program}, to boot a machine in namespaces")
    with tempfile.TemporaryDirectory(prefix="hikae-machine-") as directory:
        script = BOOT[:BOOT.index("ip link")] + "true\n"
        probe = subprocess.run(["unshare", "--fork", *NAMESPACES, "sh", "-c", script, "boot",
                                directory, SYSTEMD], stderr=subprocess.PIPE, check=False, text=True)
    if probe.returncode != 0:
        raise unittest.SkipTest(f"a machine cannot be booted here: {probe.stderr.strip()}")


class Machine:
    """Boots at once; dispose() turns it off, whatever it does."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-machine-")
        self.process = subprocess.Popen(
            ["unshare", "--fork", "--kill-child=KILL", *NAMESPACES, "sh", "-c", BOOT, "boot",
             self.directory, SYSTEMD],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=processes.die_with_parent, start_new_session=True)
        self.first = eventually(self._first, "systemd runs")
        eventually(lambda: self.try_run("systemctl", "is-system-running")[0] == 0, "it has booted")

    def _first(self):
        """The pid of its first process."""
        assert self.process.poll() is None, "the machine did not boot"
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as file:
            for pid in file.read().split():
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(SYSTEMD):
                        return int(pid)
        return None

    def try_run(self, *command, text=None):
        """(exit code, what it printed)."""
        done = subprocess.run([*self._inside(), *command], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
        return done.returncode, done.stdout

    def run(self, *command, text=None):
        """What it printed."""
        code, out = self.try_run(*command, text=text)
        assert code == 0, f"{' '.join(command)} ended with {code}:\n{out}"
        return out

    def write(self, path, text):
        self.run("sh", "-c", 'cat > "$0"', path, text=text)

    def copy(self, path, to):
        """A file of this machine's."""
        with open(path, "rb") as file:
            subprocess.run([*self._inside(), "sh", "-c", 'cat > "$0"', to], stdin=file, check=True)

    def _inside(self):
        """In front of a command, runs it there."""
        return ["nsenter", f"--target={self.first}", "--all", "--root", "--wd"]

    def dispose(self):
        self.process.kill()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)
