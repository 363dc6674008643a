"""Slow logs and engines' logs are delivered to files, in the forms that AWS has."""

import json
import os

from support.agent import Agent, agents_arguments
from support.case import RegionTestCase
from support.groups import shard_of
from support.region import Region
from support.waiting import eventually

from .test_notifications import Hook

# Some tens of milliseconds; the engine's slow log begins at ten.
SLOW = "eval 'local x = 0; for i = 1, 3000000 do x = x + i end; return x' 0"


def slow_log(group="/aws/cache", form="json", **more):
    return {"LogType": "slow-log", "DestinationType": "cloudwatch-logs", "LogFormat": form,
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": group}}, **more}


def engine_log(stream="engines", form="text", **more):
    return {"LogType": "engine-log", "DestinationType": "kinesis-firehose", "LogFormat": form,
            "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": stream}}, **more}


class LogDelivery(RegionTestCase):
    network_name = "logs"

    @classmethod
    def make_region(cls):
        cls.hook = Hook()
        cls.addClassCleanup(cls.hook.close)
        region = Region()
        config = os.path.join(region.directory, "hikae.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[logs]\nwebhook = "{cls.hook.url}"\n')
        region.arguments += ["--config", config]
        return region

    def path(self, request, cluster_id, engine="redis"):
        details = next(iter(request["DestinationDetails"].values()))
        name = next(iter(details.values())).strip("/")
        return os.path.join(self.region.data, "logs", request["DestinationType"], name,
                            "elasticache", engine, cluster_id, "0001",
                            request["LogType"] + ".log")

    def lines(self, *place):
        try:
            with open(self.path(*place), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def be_slow(self, group, line=SLOW):
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            session.ask(line)

    def modify(self, group_id, *requests):
        return self.cache.modify_replication_group(
            ReplicationGroupId=group_id, ApplyImmediately=True,
            LogDeliveryConfigurations=list(requests))["ReplicationGroup"]

    def test_a_group_with_both_logs(self):
        requests = [slow_log(), engine_log()]
        group = self.make_group("both", 2, EngineVersion="7.1",
                                LogDeliveryConfigurations=requests)
        self.assertEqual(group["LogDeliveryConfigurations"],
                         [{**request, "Status": "active"} for request in requests])
        self.assertNotIn("LogDeliveryConfigurations", group["PendingModifiedValues"])
        member = self.region.cluster("both-001")
        self.assertIs(member["ReplicationGroupLogDeliveryEnabled"], True)
        self.be_slow(group)
        found = eventually(lambda: [line for line in self.lines(requests[0], "both-001")
                                    if "eval" in line.lower()],  # others may be slow, too
                           "the slow log", 20)
        entry = json.loads(found[0])
        self.assertEqual((entry["CacheClusterId"], entry["CacheNodeId"], entry["Command"].lower()),
                         ("both-001", "0001", "eval ... (2 more arguments)"))
        self.assertGreater(entry["Duration (us)"], 10_000)
        self.assertNotIn("local x", found[0])
        self.cache.reboot_cache_cluster(CacheClusterId="both-002", CacheNodeIdsToReboot=["0001"])
        eventually(lambda: any("both-002/0001 " in line and "Ready to accept connections" in line
                               for line in self.lines(requests[1], "both-002")),
                   "the engine's log", 30)
        eventually(lambda: any(message["LogType"] == "slow-log" and
                               message["Stream"] == "elasticache/redis/both-001/0001/slow-log"
                               for message in self.hook.messages), "the webhook", 20)
        self.region.wait_group("both", 2)

    def test_turned_on_changed_and_off(self):
        group = self.make_group("later", 1, EngineVersion="7.1")
        self.assertEqual(group["LogDeliveryConfigurations"], [])
        changing = self.modify("later", slow_log("first", "text"))
        self.assertEqual(changing["Status"], "modifying")
        self.assertEqual(changing["LogDeliveryConfigurations"],
                         [{**slow_log("first", "text"), "Status": "enabling"}])
        self.assertEqual(changing["PendingModifiedValues"]["LogDeliveryConfigurations"],
                         [slow_log("first", "text")])
        after = self.region.wait_group("later", 1)
        self.assertEqual(after["LogDeliveryConfigurations"][0]["Status"], "active")
        self.assertEqual(after["PendingModifiedValues"], {})
        self.be_slow(group)
        line = eventually(lambda: self.lines(slow_log("first"), "later-001"), "text", 20)[0]
        self.assertTrue(line.lower().startswith("later-001,0001,"), line)
        self.assertEqual(line.split(",")[4].lower(), "eval ... (2 more arguments)")
        self.assertEqual(self.modify("later", slow_log("first", "text"))["Status"], "available",
                         "the same again changes nothing")
        self.modify("later", slow_log("second"))
        self.region.wait_group("later", 1)
        self.be_slow(group)
        eventually(lambda: self.lines(slow_log("second"), "later-001"), "the other place", 20)
        self.assertEqual(len(self.lines(slow_log("first"), "later-001")), 1)
        off = self.modify("later", {"LogType": "slow-log", "Enabled": False})
        self.assertEqual(off["LogDeliveryConfigurations"][0]["Status"], "disabling")
        after = self.region.wait_group("later", 1)
        self.assertEqual(after["LogDeliveryConfigurations"], [])

    def test_of_a_standalone_cluster_through_the_cli(self):
        self.make_cluster("alone", EngineVersion="7.1",
                          LogDeliveryConfigurations=[engine_log(form="json")])
        shown = self.region.cluster("alone")
        self.assertEqual(shown["LogDeliveryConfigurations"],
                         [{**engine_log(form="json"), "Status": "active"}])
        self.assertIs(shown["ReplicationGroupLogDeliveryEnabled"], False)
        self.cache.reboot_cache_cluster(CacheClusterId="alone", CacheNodeIdsToReboot=["0001"])
        self.region.wait_cluster("alone")

        def ready():
            entries = [json.loads(line) for line in self.lines(engine_log(), "alone")]
            return next((one for one in entries if "Ready to accept" in one["Message"]), None)

        entry = eventually(ready, "the engine's log", 20)
        self.assertEqual((entry["CacheClusterId"], entry["Role"]), ("alone", "Master"))
        answer = json.loads(self.region.aws(
            "elasticache", "modify-cache-cluster", "--cache-cluster-id", "alone",
            "--apply-immediately", "--log-delivery-configurations",
            json.dumps([{"LogType": "engine-log", "Enabled": False}])).ok().out)
        self.assertEqual(answer["CacheCluster"]["LogDeliveryConfigurations"][0]["Status"],
                         "disabling")
        self.assertEqual(self.region.wait_cluster("alone")["LogDeliveryConfigurations"], [])

    def test_hikae_is_killed_and_what_comes_meanwhile_is_delivered(self):
        request = engine_log("survives")
        group = self.make_group("survives", 1, EngineVersion="7.1",
                                LogDeliveryConfigurations=[request])
        self.region.terminate()
        pid = self.region.pid_of("survives-001")
        directory = os.readlink(f"/proc/{pid}/cwd")
        with open(os.path.join(directory, "engine.log"), "a", encoding="utf-8") as file:
            file.write("a line while nobody looked\n")
        self.region.start()
        eventually(lambda: "survives-001/0001 a line while nobody looked" in
                   self.lines(request, "survives-001"), "the line", 20)
        self.assertEqual(group["Status"], "available")

    def test_a_place_where_nothing_can_be_written_is_an_error(self):
        request = slow_log("blocked")
        blocked = os.path.join(self.region.data, "logs", "cloudwatch-logs")
        os.makedirs(blocked, exist_ok=True)
        with open(os.path.join(blocked, "blocked"), "w", encoding="utf-8") as file:
            file.write("in the way of the directory\n")
        group = self.make_group("errors", 1, EngineVersion="7.1",
                                LogDeliveryConfigurations=[request])
        self.be_slow(group)

        def failed():
            one = self.region.group("errors")["LogDeliveryConfigurations"][0]
            return one if one["Status"] == "error" else None

        self.assertIn("blocked", eventually(failed, "the error", 20)["Message"])
        self.assertEqual(self.region.group("errors")["Status"], "available")
        os.unlink(os.path.join(blocked, "blocked"))
        eventually(lambda: self.region.group("errors")["LogDeliveryConfigurations"][0]["Status"] ==
                   "active", "it is well again", 20)
        self.assertTrue(self.lines(request, "errors-001"), "nothing is lost")

    def test_what_is_refused(self):
        self.make_group("refusing", 1, EngineVersion="7.1")
        cases = [
            ("InvalidParameterCombination", {"LogType": "slow-log"}),
            ("InvalidParameterCombination",
             {**slow_log(), "DestinationType": "kinesis-firehose"}),
            ("InvalidParameterValue", slow_log("with blanks")),
            ("InvalidParameterValue", {**slow_log(), "LogFormat": "xml"}),
            ("InvalidParameterValue", {**slow_log(), "LogType": "audit-log"}),
        ]
        for code, request in cases:
            with self.subTest(request=request):
                self.refused(code, self.modify, "refusing", request, status=400)
        self.refused("InvalidParameterCombination", self.modify, "refusing", slow_log(),
                     slow_log("other"))
        arguments = self.network.group_arguments(
            ReplicationGroupId="old", NumCacheClusters=1,
            LogDeliveryConfigurations=[slow_log()])
        self.refused("InvalidParameterCombination", self.cache.create_replication_group,
                     message="slow-log", **arguments)
        self.refused("InvalidParameterCombination", self.cache.modify_cache_cluster,
                     CacheClusterId="refusing-001", LogDeliveryConfigurations=[slow_log()])
        self.refused("InvalidParameterCombination", self.cache.create_cache_cluster,
                     CacheClusterId="replica", ReplicationGroupId="refusing",
                     LogDeliveryConfigurations=[slow_log()])


class AgentsLogDelivery(RegionTestCase):
    """A host that joined delivers where its own configuration says, whatever the server's says."""

    network_name = "agents-logs"

    @classmethod
    def make_region(cls):
        arguments, cls.port = agents_arguments()
        region = Region(*arguments, "--lease-ms", "0")
        with open(os.path.join(region.directory, "serve.toml"), "w", encoding="utf-8") as file:
            file.write(f'[logs]\ndirectory = "{region.directory}/not-here"\n')
        region.arguments += ["--config", file.name]
        return region

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hook = Hook()
        cls.addClassCleanup(cls.hook.close)
        cls.agent = Agent(cls.region, "h1", "b", cls.port)
        cls.addClassCleanup(cls.agent.dispose)
        cls.logs = os.path.join(cls.agent.directory, "elsewhere")
        with open(os.path.join(cls.agent.directory, "agent.toml"), "w", encoding="utf-8") as file:
            file.write(f'[logs]\ndirectory = "{cls.logs}"\nwebhook = "{cls.hook.url}"\n')
        cls.agent.arguments += ["--config", file.name]
        cls.agent.join()

    def test_where_the_agent_is_told(self):
        cluster = self.make_cluster("hosted", EngineVersion="7.1",
                                    LogDeliveryConfigurations=[slow_log("/hosts")])
        with self.region.session(cluster["CacheNodes"][0]["Endpoint"]) as session:
            session.ask(SLOW)
        path = os.path.join(self.logs, "cloudwatch-logs", "hosts", "elasticache", "redis",
                            "hosted", "0001", "slow-log.log")
        eventually(lambda: os.path.exists(path), "the slow log lies where the agent was told", 20)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(json.loads(file.readline())["CacheClusterId"], "hosted")
        eventually(lambda: any(message["Destination"] == "/hosts" for message in
                               self.hook.messages), "the agent's webhook has it", 20)
        self.assertFalse(os.path.exists(os.path.join(self.agent.data, "logs")))
        self.assertFalse(os.path.exists(os.path.join(self.region.directory, "not-here")))
