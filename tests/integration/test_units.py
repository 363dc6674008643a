"""The Debian package on a machine with systemd: installed, configured, started, and what becomes of
engines when its services end."""

import json
import shlex
import unittest

from support import machine, package
from support.waiting import eventually

SERVER, AGENT = "hikae-server.service", "hikae-agent.service"
REGION, HOST = "/var/lib/hikae/region", "/var/lib/hikae/agent"


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine.require()

    def setUp(self):
        self.machine = machine.Machine()
        self.addCleanup(self.machine.dispose)

    def install(self):
        self.machine.copy(package.built(), "/tmp/hikae.deb")
        self.machine.run("dpkg", "--install", "/tmp/hikae.deb")

    def start(self, unit):
        self.machine.run("systemctl", "start", unit)

    def pid(self, unit):
        return int(self.machine.run("systemctl", "show", "--property=MainPID", "--value", unit))

    def engines(self):
        """{pid: start time}, as its own /proc says."""
        out = {}
        for pid in self.machine.try_run("pgrep", "-f", "valkey-server|redis-server")[1].split():
            code, stat = self.machine.try_run("cat", f"/proc/{pid}/stat")
            if code == 0:
                out[pid] = stat.rpartition(")")[2].split()[19]
        return out

    def aws(self, *arguments):
        command = shlex.join(["aws", "--output", "json", *arguments])
        return json.loads(self.machine.run(
            "bash", "-c", f'eval "$(hikae env --data {REGION})" && {command}') or "{}")

    def group(self):
        return self.aws("elasticache", "describe-replication-groups")["ReplicationGroups"][0]

    def wait_available(self):
        return eventually(lambda: self.group()["Status"] == "available", "the group is available",
                          60)

    def make_subnet_of_the_host(self):
        vpc = self.aws("ec2", "create-vpc", "--cidr-block", "10.7.0.0/16")["Vpc"]["VpcId"]
        subnet = self.aws("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.7.0.0/24",
                          "--availability-zone", "ap-northeast-1a")["Subnet"]["SubnetId"]
        self.aws("elasticache", "create-cache-subnet-group", "--cache-subnet-group-name", "hosts",
                 "--cache-subnet-group-description", "of the host", "--subnet-ids", subnet)

    def wait_connected(self):
        def connected():
            code, listed = self.machine.try_run("hikae", "host", "list", "--data", REGION)
            return code == 0 and " connected " in listed

        eventually(connected, "the host is connected")

    def serve(self):
        """Installs the package, starts both units and has a group of two."""
        self.install()
        config = self.machine.run("cat", "/etc/hikae/server.toml")
        self.machine.write("/etc/hikae/server.toml",
                           config + '\n[agents]\nlisten = "127.0.0.1:4567"\n')
        self.start(SERVER)
        eventually(lambda: self.machine.try_run("hikae", "status", "--data", REGION)[0] == 0,
                   "the server answers")
        self.machine.run("hikae", "host", "token", "--data", REGION, "--output", "/etc/hikae/token")
        self.machine.run("chown", "hikae:", "/etc/hikae/token")
        self.machine.write("/etc/hikae/agent.toml",
                           f'data = "{HOST}"\nzone = "a"\njoin = ["https://127.0.0.1:4567"]\n'
                           'token_file = "/etc/hikae/token"\n'
                           'addresses = "10.7.0.50-10.7.0.59@nodes"\n'
                           'memory = "10GiB"\n')
        self.machine.run("ip", "link", "add", "nodes", "type", "bridge")
        self.machine.run("ip", "link", "set", "nodes", "up")
        self.start(AGENT)
        self.wait_connected()
        self.make_subnet_of_the_host()
        self.aws("elasticache", "create-replication-group", "--replication-group-id", "units",
                 "--replication-group-description", "under systemd", "--num-cache-clusters", "2",
                 "--automatic-failover-enabled", "--cache-node-type", "cache.t3.micro",
                 "--cache-subnet-group-name", "hosts",
                 "--preferred-cache-cluster-a-zs", "ap-northeast-1a", "ap-northeast-1a")
        self.wait_available()

    def test_the_package_serves_and_its_engines_outlive_its_services(self):
        self.serve()
        # The subnet is the host's own network: what EC2 shows is where the nodes are.
        shown = sorted(one["PrivateIpAddress"] for one in
                       self.aws("ec2", "describe-network-interfaces")["NetworkInterfaces"])
        self.assertEqual(shown, ["10.7.0.50", "10.7.0.51"])
        for address in shown:
            self.assertIn(f" {address}/32 ", self.machine.run("ip", "address", "show", "nodes"))
        engines = self.engines()
        self.assertEqual(len(engines), 2)
        for pid in engines:
            self.assertEqual(self.machine.run("stat", "-c", "%U", f"/proc/{pid}").strip(), "hikae")

        with self.subTest("restarted"):
            for unit in (SERVER, AGENT):
                self.machine.run("systemctl", "restart", unit)
            self.wait_connected()
            self.wait_available()
            self.assertEqual(self.engines(), engines)
        with self.subTest("killed"):
            for unit in (SERVER, AGENT):
                before = self.pid(unit)
                self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit)
                eventually(lambda u=unit, b=before: self.pid(u) not in (0, b), "it starts again")
            self.wait_connected()
            self.wait_available()
            self.assertEqual(self.engines(), engines)
        with self.subTest("upgraded"):
            before = self.pid(SERVER), self.pid(AGENT)
            self.machine.run("dpkg", "--install", "--force-confold", "/tmp/hikae.deb")
            self.wait_connected()
            self.assertNotIn(self.pid(SERVER), before)
            self.assertNotIn(self.pid(AGENT), before)
            self.assertEqual(self.engines(), engines)
        with self.subTest("stopped"):
            self.machine.run("systemctl", "stop", AGENT, SERVER)
            self.assertEqual(self.engines(), engines)
            self.machine.run("hikae", "down", "--data", HOST)
            self.assertEqual(self.engines(), {})


if __name__ == "__main__":
    unittest.main()
