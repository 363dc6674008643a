"""Events of caches with a notification topic reach a webhook and a file."""

import contextlib
import http.server
import json
import os
import threading

from support.case import RegionTestCase
from support.region import Region
from support.waiting import eventually

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:cache"


class Hook:
    """A webhook that keeps what it is sent; while `status` is no success, it refuses."""

    def __init__(self):
        self.messages = []
        self.status = 200
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.messages.append(json.loads(body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/cache?key=secret"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Notifications(RegionTestCase):
    network_name = "notices"

    @classmethod
    def make_region(cls):
        cls.hook = Hook()
        cls.addClassCleanup(cls.hook.close)
        region = Region()
        cls.file = os.path.join(region.directory, "notices", "cache.jsonl")
        config = os.path.join(region.directory, "hikae.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[notifications]\nwebhook = "{cls.hook.url}"\nfile = "{cls.file}"\n')
        region.arguments += ["--config", config]
        return region

    def lines(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.file, encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        return []

    @staticmethod
    def texts(messages, source):
        return [one["Event"]["Message"] for one in messages
                if one["Event"]["SourceIdentifier"] == source]

    def test_events_of_a_group_are_told_to_both(self):
        self.make_group("told", 2, NotificationTopicArn=TOPIC)
        self.make_group("quiet", 1)
        notification = self.region.cluster("told-002")["NotificationConfiguration"]
        self.assertEqual(notification, {"TopicArn": TOPIC, "TopicStatus": "active"})
        created = "Replication group told created"
        for place, messages in (("webhook", lambda: self.hook.messages), ("file", self.lines)):
            eventually(lambda m=messages: created in self.texts(m(), "told"), place, 10)
            eventually(lambda m=messages: "Cache cluster created" in self.texts(m(), "told-001"),
                       place, 10)
            self.assertEqual(self.texts(messages(), "quiet"), [])
        message = next(one for one in self.hook.messages if one["Event"]["Message"] == created)
        self.assertEqual(message["Type"], "Notification")
        self.assertEqual(message["TopicArn"], TOPIC)
        self.assertEqual(json.loads(message["Message"]),
                         {"ElastiCache:CreateReplicationGroupComplete": "told"})
        ids = [one["MessageId"] for one in self.hook.messages]
        self.assertEqual(len(ids), len(set(ids)))

    def test_an_inactive_topic_is_told_nothing(self):
        self.make_group("off", 1, NotificationTopicArn=TOPIC)
        eventually(lambda: self.texts(self.hook.messages, "off"), "it is told", 10)
        changed = self.cache.modify_replication_group(
            ReplicationGroupId="off", NotificationTopicStatus="inactive")
        self.assertEqual(changed["ReplicationGroup"]["Status"], "available")
        self.assertEqual(self.region.cluster("off-001")["NotificationConfiguration"],
                         {"TopicArn": TOPIC, "TopicStatus": "inactive"})
        self.refused("InvalidParameterValue", self.cache.modify_replication_group,
                     ReplicationGroupId="off", NotificationTopicStatus="sometimes")
        before = len(self.texts(self.hook.messages, "off-001"))
        self.cache.reboot_cache_cluster(CacheClusterId="off-001", CacheNodeIdsToReboot=["0001"])
        self.region.wait_group("off", 1)
        self.cache.modify_replication_group(ReplicationGroupId="off",
                                            NotificationTopicStatus="active")
        self.cache.reboot_cache_cluster(CacheClusterId="off-001", CacheNodeIdsToReboot=["0001"])
        eventually(lambda: self.texts(self.hook.messages, "off-001")[before:] ==
                   ["Cache node 0001 shutdown", "Cache node 0001 restarted"],
                   "of two reboots the second is told", 20)

    def test_a_webhook_that_refuses_gets_it_again_and_holds_up_nothing(self):
        self.hook.status = 503
        try:
            self.make_group("patient", 1, NotificationTopicArn=TOPIC)
            created = "Replication group patient created"
            eventually(lambda: created in self.texts(self.lines(), "patient"), "the file", 10)
            self.assertEqual(self.texts(self.hook.messages, "patient"), [])
        finally:
            self.hook.status = 200
        eventually(lambda: created in self.texts(self.hook.messages, "patient"),
                   "the webhook gets it in the end", 20)
        self.assertNotIn("secret", self.region.log_tail(1000))
