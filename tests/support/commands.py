"""Running the programs that a user types, and keeping what they say."""

import json
import os
import shutil
import subprocess

# Long enough for a slow machine, short enough that a hanging program fails the test.
COMMAND_TIMEOUT = 60


class Outcome:
    """What a finished program left: exit code, output, error output."""

    def __init__(self, arguments, code, out, err):
        self.arguments = arguments
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return (f"{' '.join(self.arguments)} -> exit {self.code}\n"
                f"--- stdout\n{self.out}\n--- stderr\n{self.err}")

    def ok(self):
        """Itself, when the program was successful; else fails with all that it said."""
        if self.code != 0:
            raise AssertionError(repr(self))
        return self

    def json(self):
        self.ok()
        return json.loads(self.out) if self.out.strip() else {}

    def lines(self):
        return [line for line in self.out.splitlines() if line.strip()]


def run(arguments, env=None, stdin=None, timeout=COMMAND_TIMEOUT, cwd=None):
    """Runs a program to its end. Never raises for its exit code."""
    done = subprocess.run([str(a) for a in arguments], env=env, input=stdin, cwd=cwd,
                          stdin=subprocess.DEVNULL if stdin is None else None,
                          capture_output=True, text=True, errors="replace", timeout=timeout,
                          check=False)
    return Outcome([str(a) for a in arguments], done.returncode, done.stdout, done.stderr)


def have(program):
    return shutil.which(program) is not None


def bare_environment(**extra):
    """This environment without anything that points a client elsewhere."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("AWS_") and not name.startswith("HIKAE_")}
    env.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
               AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="", NO_PROXY="*", LC_ALL="C.UTF-8")
    env.update(extra)
    return env
