"""Runs modules of whole-product tests side by side, each with a network stack of its own, so that
no two of them want the same address or port."""

import concurrent.futures
import os
import re
import subprocess
import sys

RESULT = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
ISOLATED = ["setpriv", "--pdeathsig", "TERM", "unshare", "--net",
            "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def can_isolate():
    """Root may make network namespaces, where the machine lets it."""
    if os.geteuid() != 0:
        return False
    try:
        return subprocess.run([*ISOLATED, "true"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return False


def modules_of(tests):
    """Those that take longest first, so that none of them is what the end waits for."""
    longest = {}
    for test in tests:
        name = type(test).__module__
        longest[name] = max(longest.get(name, 0), getattr(test, "longest_seconds", 0))
    return sorted(longest, key=lambda name: (-longest[name], name))


def run_module(script, name, arguments):
    """(passed, failed, skipped, what it printed); one that ends without a result has failed."""
    done = subprocess.run([*ISOLATED, sys.executable, script, "--module", name, *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    found = list(RESULT.finditer(done.stdout))
    if not found or done.returncode not in (0, 1):
        return 0, 1, 0, f"{done.stdout}\nFAILED  {name} ended with {done.returncode}\n"
    return (*(int(number) for number in found[-1].groups()), done.stdout[:found[-1].start()])


def run(script, tests, jobs, arguments):
    """Prints what each module printed, once it has ended; (passed, failed, skipped) of all."""
    sums = [0, 0, 0]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(run_module, script, name, arguments): name
                   for name in modules_of(tests)}
        for done in concurrent.futures.as_completed(running):
            *counts, text = done.result()
            sums = [total + count for total, count in zip(sums, counts)]
            if counts[1]:
                failed.append(running[done])
            print(text.strip(), end="\n\n", flush=True)
    for name in sorted(failed):
        print(f"FAILED  {name}, see above")
    return sums
