"""The processes of a data directory, found by where they work: /proc/<pid>/cwd."""

import ctypes
import os
import signal
import time


PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    """For preexec_fn: a child that nothing else would end when the tests are killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return "gone"


def is_alive(pid):
    """Whether the process exists and is more than a corpse that nobody has collected."""
    return _state(pid) not in ("gone", "Z", "X")


def start_time(pid):
    """The kernel's start time of a process (field 22 of stat): with the pid, its identity."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


def parent_of(pid):
    """The pid of its parent."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def user_of(pid):
    """The effective uid. (Root owns /proc/<pid> of a process that may not be dumped.)"""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[2]) for line in file if line.startswith("Uid:"))


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def processes_below(directory):
    """{pid: working directory} of all living processes that work in or below the directory."""
    root = os.path.realpath(directory)
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            cwd = os.readlink(f"/proc/{entry}/cwd")
        except OSError:
            continue
        cwd = cwd.removesuffix(" (deleted)")
        if (cwd == root or cwd.startswith(root + "/")) and is_alive(int(entry)):
            found[int(entry)] = cwd
    return found


def kill_below(directory):
    """Kills, by pid, whatever works below the directory. For clean-up only; returns the pids."""
    killed = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pids = [pid for pid in processes_below(directory) if pid != os.getpid()]
        if not pids:
            break
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    return sorted(set(killed))
