"""Writes numbered values through redis-py as it comes, until its input ends.

Prints `ok N` for each acknowledged value and `failed N REASON` for every other.
"""

import itertools
import select
import sys

import redis

PAUSE = 0.001  # seconds between two writes: the input is looked at meanwhile


def main():
    host, port = sys.argv[1:]
    client = redis.Redis(host=host, port=int(port))
    for number in itertools.count(1):
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            return
        try:
            client.set(f"n:{number}", str(number))
            print(f"ok {number}", flush=True)
        except redis.RedisError as error:
            print(f"failed {number} {error}", flush=True)


if __name__ == "__main__":
    main()
