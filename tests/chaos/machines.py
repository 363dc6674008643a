#!/usr/bin/env python3
"""Faults of machines by chance, by hand: needs root, for network namespaces.

  tests/chaos/machines.py                          two minutes, with a seed that it prints
  tests/chaos/machines.py --seconds 3600 --seed 7  an hour of seed 7
  tests/chaos/machines.py --seed 7 --round 12      round 12 of seed 7, again and again
  tests/chaos/machines.py --seed 7 --plan 5        shows the first five rounds and does nothing
  tests/chaos/machines.py --keepers                engines have keepers in place of the module

Ends at the first broken promise, with both servers' logs. The exit code is 1 then, else 0.
HIKAE_BINARY names another program than build/release/hikae.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from chaos import arguments  # noqa: E402 - the path comes first
from support import netns  # noqa: E402
from support.machines import WITHOUT_MODULE, Machines  # noqa: E402
from support.storm import Broken, Storm, make_round  # noqa: E402


def main():
    parser = arguments.parser(__doc__)
    parser.add_argument("--keepers", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of dispose()
    if options.plan:
        for number in range(options.first, options.first + options.plan):
            steps, hold = make_round(options.seed, number)
            print(f"round {number}: {steps}, then {hold:.1f} s")
        return 0
    netns.require()
    machines = Machines("--rebuild-after", "6s",
                        agent_arguments=WITHOUT_MODULE if options.keepers else ())
    try:
        storm = Storm(machines.start(), options.seed, lambda line: print(line, flush=True))
        rounds = storm.run(options.seconds, options.first, options.only)
    except (Broken, AssertionError) as error:
        print(f"\nseed {options.seed}: {error}", flush=True)
        return 1
    finally:
        machines.dispose()
    print(f"\nseed {options.seed}: {rounds} rounds, {storm.failovers} failovers, {storm.writes} "
          f"writes of which {storm.lost} are lost as admitted, whole again after at most "
          f"{storm.slowest:.1f} s, no promise broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
