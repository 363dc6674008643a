"""The Debian package of the program under test, built once for a run."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile

from .region import ROOT, binary


@functools.cache
def built():
    """Its path."""
    directory = tempfile.mkdtemp(prefix="hikae-package-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tools", "build_deb.py"), "--binary", binary(),
         "--output", directory], check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()
