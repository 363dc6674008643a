"""The journey of the article of 2014, command by command, with the clients of a user."""

import os
import re
import signal
import unittest

from support import commands, processes, signing
from support.groups import members_of, primary_of
from support.inline import RedisError
from support.region import Region, binary
from support.terminal import Terminal
from support.waiting import eventually

SUFFIX = r"[a-z0-9]{6}\.(ng\.)?0001\.apne1\.cache\.hikae\.internal"


class Article(unittest.TestCase):
    """The steps build on each other, in the order of their names."""

    maxDiff = None
    seen = {}

    @classmethod
    def setUpClass(cls):
        if not commands.have("aws"):
            raise unittest.SkipTest("the aws CLI is not installed")
        cls.region = Region()
        cls.addClassCleanup(cls.region.dispose)
        cls.region.start()
        cls.seen = {}

    @classmethod
    def tearDownClass(cls):
        cls.region.remove_everything()
        cls.region.stop()

    def aws(self, *arguments):
        return self.region.aws(*arguments).json()

    def elasticache(self, *arguments):
        return self.aws("elasticache", *arguments)

    def group_of(self, group_id="foo"):
        return self.elasticache("describe-replication-groups", "--replication-group-id",
                                group_id)["ReplicationGroups"][0]

    def primary_endpoint(self):
        return self.group_of()["NodeGroups"][0]["PrimaryEndpoint"]

    def test_1_vpc_subnets_and_subnet_group(self):
        vpc = self.aws("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16")["Vpc"]
        self.assertRegex(vpc["VpcId"], r"^vpc-[0-9a-f]{17}$")
        self.assertEqual(vpc["CidrBlock"], "10.0.0.0/16")
        subnets = {}
        for zone, block in (("ap-northeast-1b", "10.0.201.0/24"),
                            ("ap-northeast-1c", "10.0.202.0/24")):
            subnet = self.aws("ec2", "create-subnet", "--vpc-id", vpc["VpcId"], "--cidr-block",
                              block, "--availability-zone", zone)["Subnet"]
            self.assertEqual((subnet["AvailabilityZone"], subnet["AvailableIpAddressCount"]),
                             (zone, 251))
            subnets[zone] = subnet["SubnetId"]
        group = self.aws("ec2", "create-security-group", "--group-name", "foo", "--description",
                         "redis", "--vpc-id", vpc["VpcId"])["GroupId"]
        made = self.elasticache(
            "create-cache-subnet-group", "--cache-subnet-group-name", "foosubnet",
            "--cache-subnet-group-description", "Redis Subnet Group", "--subnet-ids",
            *subnets.values())["CacheSubnetGroup"]
        self.assertEqual(made["CacheSubnetGroupName"], "foosubnet")

        described = self.elasticache("describe-cache-subnet-groups", "--cache-subnet-group-name",
                                     "foosubnet")["CacheSubnetGroups"]
        self.assertEqual(len(described), 1)
        self.assertEqual(described[0]["VpcId"], vpc["VpcId"])
        self.assertEqual(described[0]["CacheSubnetGroupDescription"], "Redis Subnet Group")
        self.assertEqual(described[0]["CacheSubnetGroupName"], "foosubnet")
        zones = {subnet["SubnetAvailabilityZone"]["Name"]: subnet["SubnetIdentifier"]
                 for subnet in described[0]["Subnets"]}
        self.assertEqual(zones, subnets)
        self.seen.update(security_group=group, subnets=subnets)

    def test_2_one_command_makes_three(self):
        group = self.elasticache(
            "create-replication-group", "--replication-group-id", "foo",
            "--replication-group-description", "desc of foo", "--automatic-failover-enabled",
            "--num-cache-clusters", "3", "--cache-node-type", "cache.m3.medium", "--engine",
            "redis", "--engine-version", "2.8.6", "--cache-parameter-group-name",
            "default.redis2.8", "--cache-subnet-group-name", "foosubnet", "--security-group-ids",
            self.seen["security_group"], "--port", "6379")["ReplicationGroup"]
        expected = {"Status": "creating", "Description": "desc of foo",
                    "ReplicationGroupId": "foo", "AutomaticFailover": "enabling",
                    "MemberClusters": ["foo-001", "foo-002", "foo-003"],
                    "PendingModifiedValues": {}}
        self.assertEqual({name: group.get(name) for name in expected}, expected)
        self.assertNotIn("NodeGroups", group)

    def test_3_available_and_spread_over_zones(self):
        self.region.wait_group("foo", 3)
        group = self.group_of()
        self.assertEqual((group["Status"], group["AutomaticFailover"]), ("available", "enabled"))
        self.assertEqual(group["MemberClusters"], ["foo-001", "foo-002", "foo-003"])
        self.assertEqual(len(group["NodeGroups"]), 1)
        shard = group["NodeGroups"][0]
        self.assertEqual((shard["NodeGroupId"], shard["Status"]), ("0001", "available"))
        self.assertEqual(shard["PrimaryEndpoint"]["Port"], 6379)
        self.assertRegex(shard["PrimaryEndpoint"]["Address"], rf"^foo\.{SUFFIX}$")
        self.assertIn(".ng.0001.", shard["PrimaryEndpoint"]["Address"])
        self.assertRegex(shard["ReaderEndpoint"]["Address"], rf"^foo-ro\.{SUFFIX}$")
        members = shard["NodeGroupMembers"]
        self.assertEqual([member["CacheClusterId"] for member in members],
                         ["foo-001", "foo-002", "foo-003"])
        self.assertEqual(sorted(member["CurrentRole"] for member in members),
                         ["primary", "replica", "replica"])
        zones = [member["PreferredAvailabilityZone"] for member in members]
        self.assertEqual(sorted(set(zones)), ["ap-northeast-1b", "ap-northeast-1c"])
        for member in members:
            self.assertEqual(member["CacheNodeId"], "0001")
            self.assertEqual(member["ReadEndpoint"]["Port"], 6379)
            name = member["CacheClusterId"]
            self.assertRegex(member["ReadEndpoint"]["Address"],
                             rf"^{name}\.[a-z0-9]{{6}}\.0001\.apne1\.cache\.hikae\.internal$")

    def test_4_dig_answers_cname_and_address(self):
        primary = self.primary_endpoint()["Address"]
        lines = [line.split() for line in
                 self.region.dig("+noall", "+answer", primary).ok().lines()]
        self.assertEqual(len(lines), 2, lines)
        alias, address = lines
        member = self.group_of()["NodeGroups"][0]["NodeGroupMembers"][0]
        self.assertEqual(member["CurrentRole"], "primary")
        self.assertEqual([alias[0], alias[2], alias[3], alias[4]],
                         [primary + ".", "IN", "CNAME", member["ReadEndpoint"]["Address"] + "."])
        self.assertEqual([address[0], address[2], address[3]],
                         [member["ReadEndpoint"]["Address"] + ".", "IN", "A"])
        self.assertRegex(address[4], r"^127\.\d+\.20[12]\.\d+$")
        self.assertLessEqual(int(alias[1]), 5)

    def test_5_primary_by_hand(self):
        with self.region.session(self.primary_endpoint()) as session:
            text = session.say("info replication").decode()
            self.assertRegex(text, r"^\$\d+\r\n# Replication\r\n")
            for line in ("role:master", "connected_slaves:2", "repl_backlog_active:1",
                         "repl_backlog_size:1048576"):
                self.assertIn(f"\r\n{line}\r\n", text)

            def all_online():
                info = session.info("replication")
                slaves = [info["slave0"], info["slave1"]]
                return all("state=online" in slave and int(re.search(r"lag=(\d+)", slave)[1]) <= 1
                           for slave in slaves)

            eventually(all_online, "both replicas are online with a small lag", 10)
            self.assertEqual(session.say("set foo bar"), b"+OK\r\n")
            self.assertEqual(session.say("get foo"), b"$3\r\nbar\r\n")

    def test_6_replica_by_hand(self):
        members = self.group_of()["NodeGroups"][0]["NodeGroupMembers"]
        self.assertEqual(members[1]["CurrentRole"], "replica")
        with self.region.session(members[1]["ReadEndpoint"]) as session:
            info = session.info("replication")
            self.assertEqual(info["role"], "slave")
            self.assertRegex(info["master_host"],
                             r"^foo\.[a-z0-9]{6}\.0001\.internal\.apne1\.cache\.hikae\.internal$")
            self.assertEqual(info["master_port"], "6379")
            self.assertEqual(info["master_link_status"], "up")
            self.assertEqual(info["slave_read_only"], "1")
            eventually(lambda: session.ask("get foo") == "bar", "the write has arrived", 5)
            refusal = session.say("set foo baz").decode()
            self.assertTrue(refusal.startswith(
                "-READONLY You can't write against a read only "), refusal)

    def test_6_internal_name_means_the_primary(self):
        members = self.group_of()["NodeGroups"][0]["NodeGroupMembers"]
        with self.region.session(members[1]["ReadEndpoint"]) as session:
            internal = session.info("replication")["master_host"]
        self.assertEqual(self.region.resolve(internal),
                         self.region.resolve(members[0]["ReadEndpoint"]["Address"]))

    def test_6_telnet_program(self):
        if not commands.have("telnet"):
            self.skipTest("telnet is not installed")
        endpoint = self.primary_endpoint()
        address = self.region.resolve(endpoint["Address"])
        with Terminal(["telnet", address, str(endpoint["Port"])]) as telnet:
            telnet.expect("Escape character is '^]'.")
            telnet.type("info replication")
            self.assertIn("connected_slaves:2", telnet.expect("repl_backlog_size:1048576"))
            telnet.type("set typed value")
            telnet.expect("+OK")
            telnet.type("get typed")
            telnet.expect("$5\r\nvalue")
            telnet.type("quit")
            telnet.expect("Connection closed by foreign host.")

    def test_7_automatic_failover_needs_two(self):
        common = ["create-replication-group", "--replication-group-description", "d",
                  "--cache-node-type", "cache.m3.medium", "--engine", "redis", "--engine-version",
                  "2.8.6", "--cache-subnet-group-name", "foosubnet"]
        refused = self.region.aws("elasticache", *common, "--replication-group-id", "one",
                                  "--automatic-failover-enabled", "--num-cache-clusters", "1")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("(InvalidParameterCombination)", refused.err)
        self.assertIn("When using automatic failover, there must be at least 2 cache clusters in "
                      "the replication group.", refused.err)
        group = self.elasticache(*common, "--replication-group-id", "one",
                                 "--no-automatic-failover-enabled", "--num-cache-clusters",
                                 "1")["ReplicationGroup"]
        self.assertEqual((group["AutomaticFailover"], group["MemberClusters"]),
                         ("disabled", ["one-001"]))
        self.region.wait_group("one", 1)
        self.assertEqual(self.group_of("one")["AutomaticFailover"], "disabled")
        deleted = self.elasticache("delete-replication-group", "--replication-group-id", "one")
        self.assertEqual(deleted["ReplicationGroup"]["Status"], "deleting")
        self.region.wait_group_gone("one")

    def test_8_around_an_existing_primary(self):
        cluster = self.elasticache(
            "create-cache-cluster", "--cache-cluster-id", "old-primary", "--num-cache-nodes", "1",
            "--cache-node-type", "cache.m3.medium", "--engine", "redis", "--engine-version",
            "2.8.6", "--cache-subnet-group-name", "foosubnet", "--port", "6390",
            "--preferred-availability-zone", "ap-northeast-1b")["CacheCluster"]
        self.assertEqual(cluster["CacheClusterStatus"], "creating")
        ready = self.region.wait_cluster("old-primary")
        with self.region.session(ready["CacheNodes"][0]["Endpoint"]) as session:
            self.assertEqual(session.ask("set before group"), "OK")

        group = self.elasticache(
            "create-replication-group", "--replication-group-id", "older",
            "--replication-group-description", "the older way", "--primary-cluster-id",
            "old-primary")["ReplicationGroup"]
        self.assertEqual(group["MemberClusters"], ["old-primary"])
        self.region.wait_group("older", 1)
        replica = self.elasticache(
            "create-cache-cluster", "--cache-cluster-id", "old-replica", "--replication-group-id",
            "older", "--preferred-availability-zone", "ap-northeast-1c")["CacheCluster"]
        self.assertEqual((replica["CacheClusterStatus"], replica["ReplicationGroupId"]),
                         ("creating", "older"))
        group = self.region.wait_group("older", 2)
        roles = {member["CacheClusterId"]: (member["CurrentRole"],
                                            member["PreferredAvailabilityZone"])
                 for member in group["NodeGroups"][0]["NodeGroupMembers"]}
        self.assertEqual(roles, {"old-primary": ("primary", "ap-northeast-1b"),
                                 "old-replica": ("replica", "ap-northeast-1c")})
        member = self.region.cluster("old-replica")["CacheNodes"][0]
        self.assertEqual(member["Endpoint"]["Port"], 6390)
        with self.region.session(member["Endpoint"]) as session:
            eventually(lambda: session.ask("get before") == "group", "the data has arrived", 5)
            with self.assertRaisesRegex(RedisError, "^READONLY"):
                session.ask("set before x")
        self.region.elasticache.delete_replication_group(ReplicationGroupId="older")
        self.region.wait_group_gone("older")

    GUIDE = {"Action": "CreateReplicationGroup", "AutomaticFailover": "true",
             "CacheNodeType": "cache.m3.large", "Engine": "redis", "NumCacheNodes": "3",
             "Version": "2014-09-30"}

    def raw_get(self, group_id, target):
        reply = signing.send(self.region.listen, "GET", target)
        self.assertEqual(reply.status, 200, reply)
        self.assertIn('xmlns="http://elasticache.amazonaws.com/doc/2014-09-30/"', reply.text)
        self.assertIn(f"<ReplicationGroupId>{group_id}</ReplicationGroupId>", reply.text)
        self.assertIn("<Status>creating</Status>", reply.text)
        self.assertIn("<AutomaticFailover>enabling</AutomaticFailover>", reply.text)
        for number in (1, 2, 3):
            self.assertIn(f"<ClusterId>{group_id}-00{number}</ClusterId>", reply.text)
        self.region.wait_group(group_id, 3)
        self.region.elasticache.delete_replication_group(ReplicationGroupId=group_id)
        self.region.wait_group_gone(group_id)

    def guide_call(self, group_id):
        return {**self.GUIDE, "ReplicationGroupId": group_id,
                "CacheSubnetGroupName": "foosubnet", "Port": "6391"}

    def test_9_raw_get_version_4(self):
        key, secret = self.region.credentials()
        self.raw_get("my-rg", signing.v4_presigned(self.region.host, self.guide_call("my-rg"), key,
                                                   secret, self.region.name))

    def test_9_raw_get_version_2(self):
        key, secret = self.region.credentials()
        query = signing.v2_query("GET", self.region.host, self.guide_call("my-rg-v2"), key, secret)
        self.raw_get("my-rg-v2", "/?" + signing.encode_pairs(query))

    def test_9_raw_get_of_the_guide(self):
        key, secret = self.region.credentials()
        for version in ("2", "4"):
            group_id = f"my-rg-mixed{version}"
            with self.subTest(signature_version=version):
                query = signing.mixed_query(self.region.host, self.guide_call(group_id), key,
                                            secret, self.region.name, version)
                self.raw_get(group_id, "/?" + signing.encode_pairs(query))

    def test_9_nothing_but_the_guides_parameters(self):
        """In the default VPC, as in the guide: it has no subnet group."""
        key, secret = self.region.credentials()
        query = {**self.GUIDE, "ReplicationGroupId": "guide", "Port": "6392"}
        self.raw_get("guide", signing.v4_presigned(self.region.host, query, key, secret,
                                                   self.region.name))

    def test_9_the_data_outlives_its_primary(self):
        """What was written by hand is there after a failover, under the same name."""
        endpoint = self.primary_endpoint()
        old = primary_of(self.group_of())
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        eventually(lambda: primary_of(self.group_of()) != old, f"a replica of {old} leads", 10)
        for line, reply in (("get foo", b"$3\r\nbar\r\n"), ("set foo again", b"+OK\r\n")):
            eventually(lambda one=line: self.say_anew(endpoint, one) == reply, line, 10)
        group = self.region.wait_group("foo", 3)
        alias = self.region.dig("+short", endpoint["Address"]).ok().lines()[0]
        self.assertEqual(alias, members_of(group)[primary_of(group)]["Address"] + ".")

    def say_anew(self, endpoint, line):
        """As by somebody who connects anew for each line; None while nobody answers."""
        try:
            with self.region.session(endpoint) as session:
                return session.say(line)
        except OSError:
            return None


class Shell(unittest.TestCase):
    """The same names in the clients of a user, who types no flags."""

    @classmethod
    def make_region(cls):
        return Region()

    @classmethod
    def setUpClass(cls):
        cls.region = cls.make_region()
        cls.addClassCleanup(cls.region.dispose)
        cls.check_namespaces()
        cls.region.start()
        cls.region.ec2.create_default_vpc() if not cls.region.ec2.describe_vpcs()["Vpcs"] else None
        cls.region.elasticache.create_replication_group(
            ReplicationGroupId="sh", ReplicationGroupDescription="d", Engine="redis",
            CacheNodeType="cache.t3.micro", NumCacheClusters=2, Port=6393,
            AutomaticFailoverEnabled=True)
        group = cls.region.wait_group("sh", 2)
        cls.primary = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]

    @classmethod
    def check_namespaces(cls):
        probe = commands.run([*cls.region.prefix, "unshare", "--mount", "true"])
        if probe.code != 0:
            raise unittest.SkipTest("mount namespaces are not permitted here")

    @classmethod
    def tearDownClass(cls):
        cls.region.remove_everything()
        cls.region.stop()

    def shell(self, *command):
        return self.region.hikae("shell", "--data", self.region.data, "--", *command)

    def need(self, program):
        """The program's path, when this user can run it."""
        found = commands.run([*self.region.prefix, "sh", "-c", f"command -v {program}"])
        if found.code != 0:
            self.skipTest(f"{program} cannot be run by this user")

    def test_aws(self):
        self.need("aws")
        outcome = self.shell("sh", "-c", "aws --version 2>&1; echo $AWS_ENDPOINT_URL").ok()
        self.assertIn(self.region.endpoint_url, outcome.out)
        described = self.shell("aws", "elasticache", "describe-replication-groups", "--output",
                               "json")
        if "AWS_ENDPOINT_URL" in described.err or "Could not connect" in described.err:
            self.skipTest("this aws CLI is too old for AWS_ENDPOINT_URL")
        self.assertEqual(described.json()["ReplicationGroups"][0]["ReplicationGroupId"], "sh")

    def test_dig(self):
        self.need("dig")
        lines = self.shell("dig", "+noall", "+answer", self.primary).ok().lines()
        self.assertEqual([line.split()[3] for line in lines], ["CNAME", "A"])

    def test_redis_cli(self):
        program = "redis-cli" if commands.have("redis-cli") else "valkey-cli"
        self.need(program)
        wrote = self.shell(program, "-h", self.primary, "-p", "6393", "set", "k", "v").ok()
        self.assertEqual(wrote.out.strip(), "OK")
        read = self.shell(program, "-h", self.primary, "-p", "6393", "get", "k").ok()
        self.assertEqual(read.out.strip(), "v")

    def test_telnet(self):
        self.need("telnet")
        env = commands.bare_environment(HOME=self.region.directory)
        command = [*self.region.prefix, binary(), "shell", "--data", self.region.data, "--",
                   "telnet", self.primary, "6393"]
        with Terminal(command, env=env, cwd=self.region.directory) as telnet:
            telnet.expect("Connected to")
            telnet.type("ping")
            telnet.expect("+PONG")
            telnet.type("quit")
            telnet.expect("closed by foreign host")

    def test_exit_code_is_the_commands(self):
        self.assertEqual(self.shell("sh", "-c", "exit 7").code, 7)

    def test_interactive_shell(self):
        env = commands.bare_environment(HOME=self.region.directory, SHELL="/bin/sh", PS1="$ ")
        command = [*self.region.prefix, binary(), "shell", "--data", self.region.data]
        with Terminal(command, env=env, cwd=self.region.directory) as shell:
            shell.type("echo region=$AWS_DEFAULT_REGION.")
            shell.expect("region=ap-northeast-1.")
            shell.type("exit 3")
            self.assertEqual(shell.wait(), 3)

    def test_the_outside_keeps_its_resolver(self):
        def outside():
            return "".join(commands.run(["cat", path]).out for path in
                           ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"))

        before = outside()
        inside = self.shell("cat", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf").out
        self.assertEqual(outside(), before)
        self.assertNotEqual(inside, before)

    def test_a_name_made_while_the_shell_is_open(self):
        program = "redis-cli" if commands.have("redis-cli") else "valkey-cli"
        self.need(program)
        env = commands.bare_environment(HOME=self.region.directory, SHELL="/bin/sh", PS1="$ ")
        command = [*self.region.prefix, binary(), "shell", "--data", self.region.data]
        with Terminal(command, env=env, cwd=self.region.directory) as shell:
            shell.type("echo open-$((40+2))")
            shell.expect("open-42")
            self.region.elasticache.create_cache_cluster(
                CacheClusterId="later", Engine="redis", CacheNodeType="cache.t3.micro",
                NumCacheNodes=1, Port=6394)
            name = self.region.wait_cluster("later")["CacheNodes"][0]["Endpoint"]["Address"]
            shell.type(f"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
                       f"{program} -h {name} -p 6394 echo came-$((40+3)) && break; sleep 0.3; done")
            shell.expect("came-43")
            shell.type("exit")
        self.region.elasticache.delete_cache_cluster(CacheClusterId="later")
        self.region.wait_cluster_gone("later")


class ShellWithDnsOnPort53(Shell):
    """As root, and where the port is free: the private resolver is the region's DNS server."""

    @classmethod
    def make_region(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("port 53 needs root")
        region = Region()
        region.dns = (f"127.0.{os.getpid() % 250 + 2}.53", 53)
        return region


class ShellOfAnOrdinaryUser(Shell):
    """All of it as `nobody`: the server, its engines and the shell."""

    @classmethod
    def make_region(cls):
        if os.geteuid() != 0 or not commands.have("setpriv"):
            raise unittest.SkipTest("only root can become an ordinary user for a test")
        return Region(as_user=65534)

    @classmethod
    def check_namespaces(cls):
        if commands.run([*cls.region.prefix, "test", "-x", binary()]).code != 0:
            raise unittest.SkipTest(f"an ordinary user cannot reach {binary()}")
        probe = commands.run([*cls.region.prefix, "unshare", "--user", "--map-root-user",
                              "--mount", "true"])
        if probe.code != 0:
            raise unittest.SkipTest("user namespaces are not permitted here")

    def test_everything_runs_as_that_user(self):
        pids = [self.region.server.pid, *self.region.nodes()]
        self.assertGreaterEqual(len(pids), 3)
        for pid in pids:
            self.assertEqual(processes.user_of(pid), 65534, processes.command_line(pid))


if __name__ == "__main__":
    unittest.main()
