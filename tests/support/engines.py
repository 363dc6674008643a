"""Engines that can be upgraded during a test: copies of the installed ones with other numbers."""

import os
import re
import shutil
import subprocess
import tempfile


class UpgradableEngine:
    """A copy of valkey-server whose version grows by upgrade(), as a package's does: a new file
    takes the place of the old one, and processes that run go on with what they have."""

    name = "valkey-server"

    def __init__(self):
        self.original = shutil.which(self.name)
        self.directory = tempfile.mkdtemp(prefix="hikae-engine-")
        os.chmod(self.directory, 0o755)
        self.program = os.path.join(self.directory, self.name)
        shutil.copy2(self.original, self.program)
        text = subprocess.run([self.program, "--version"], capture_output=True, text=True,
                              check=True).stdout
        self.first = self.version = re.search(r"v=(\d+\.\d+\.\d+)", text).group(1)

    def upgrade(self):
        """The next patch version is installed; returns it."""
        major, minor, patch = self.version.split(".")
        following = f"{major}.{minor}.{int(patch) + 1}"
        assert len(following) == len(self.first), "the number has to fit into the program"
        with open(self.original, "rb") as file:
            code = file.read().replace(self.first.encode() + b"\0", following.encode() + b"\0")
        fresh = self.program + ".new"
        with open(fresh, "wb") as file:
            file.write(code)
        os.chmod(fresh, 0o755)
        os.rename(fresh, self.program)
        self.version = following
        return following

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
