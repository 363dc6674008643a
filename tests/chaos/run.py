#!/usr/bin/env python3
"""Chaos on real engines, by hand.

  tests/chaos/run.py                             two minutes, with a seed that it prints
  tests/chaos/run.py --seconds 600 --seed 7      ten minutes of seed 7
  tests/chaos/run.py --seed 7 --round 12         round 12 of seed 7, again and again
  tests/chaos/run.py --seed 7 --plan 5           shows the first five rounds and does nothing

Prints what it does as it does it. Ends at the first broken promise, with the server's log of that
round. The exit code is 1 then, else 0. HIKAE_BINARY names another program than build/release/hikae.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from chaos import arguments, plan  # noqa: E402 - the path comes first
from chaos.conductor import Conductor, Violation  # noqa: E402
from chaos.timeline import Timeline  # noqa: E402


def show_plan(seed, first, count):
    for number in range(first, first + count):
        print(f"round {number}")
        for step in plan.make_round(seed, number):
            print(f"  +{step.after_ms:5} ms  {step}")


def main():
    parser = arguments.parser(__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the files of a failed run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of dispose()
    if options.plan:
        show_plan(options.seed, options.first, options.plan)
        return 0
    timeline = Timeline(lambda line: print(line, flush=True))
    conductor = Conductor(options.seed, timeline)
    failed = True
    try:
        conductor.start()
        rounds = conductor.run(options.seconds, options.first, options.only)
        conductor.stop()
        failed = False
    except Violation as error:
        print(f"\nseed {options.seed}: {error}", flush=True)
        return 1
    finally:
        conductor.dispose(keep_files=failed and options.keep)
        if failed and options.keep:
            print(f"kept {conductor.region.directory}", flush=True)
    print(f"\nseed {options.seed}: {rounds} rounds, whole again after at most "
          f"{conductor.slowest:.1f} s, no promise broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
