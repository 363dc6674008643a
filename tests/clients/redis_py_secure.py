"""Writes and reads through redis-py over TLS as a user.

Usage: redis_py_secure.py HOST PORT CA USER KEY; the password comes by the input. Prints what the
key holds, and how a foreign key fails.
"""

import sys

import redis


def main():
    host, port, authority, user, key = sys.argv[1:]
    client = redis.Redis(host=host, port=int(port), ssl=True, ssl_ca_certs=authority,
                         username=user, password=sys.stdin.readline().strip())
    client.set(key, "over TLS")
    print(client.get(key).decode())
    try:
        client.get("foreign")
    except redis.exceptions.NoPermissionError:
        print("NOPERM")


if __name__ == "__main__":
    main()
