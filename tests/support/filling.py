"""Many resources at once, to come to a quota."""

import re
import threading

FILLERS = 4


def fill(region, requests):
    """Sends the requests, parameters of the Query protocol; returns {code or 200: count}."""
    counts = {}
    lock = threading.Lock()
    queue = iter(list(requests))

    def send():
        while True:
            with lock:
                request = next(queue, None)
            if request is None:
                return
            reply = region.query(request)
            found = re.search(r"<Code>(.*?)</Code>", reply.text)
            with lock:
                key = found.group(1) if found else reply.status
                counts[key] = counts.get(key, 0) + 1

    threads = [threading.Thread(target=send) for _ in range(FILLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts
