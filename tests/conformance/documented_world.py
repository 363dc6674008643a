"""A region in which every documented error can be had; of test_documented.

The hosts' agents are stopped (SIGSTOP) once everything is made: what is then begun stays as it is,
so that even the errors of states that last for a moment can be had at leisure.
"""

import os
import signal

from support.agent import Agent, agents_arguments
from support.case import RegionTestCase
from support.network import ZONES
from support.users import PASSWORD
from support.waiting import eventually

SOURCE = [{"Address": "127.0.0.1", "Port": 1}]  # of a migration
TYPE = "cache.t3.small"
MANUAL_SNAPSHOTS = 20  # of a group or a cluster in 24 hours
MEMBERS = 6  # the most of one group


class World(RegionTestCase):
    network_name = "doc"
    longest_seconds = 300

    @classmethod
    def setUpClass(cls):
        arguments, port = agents_arguments()
        cls.serve_arguments = (*arguments, "--lease-ms", "0", "--rebuild-after", "never",
                               "--test-failovers-per-day", "1")
        super().setUpClass()
        cls.agents = []
        for zone in ZONES:
            agent = Agent(cls.region, f"h{zone[-1]}", zone[-1], port, "--snapshots",
                          os.path.join(cls.region.data, "snapshots"))
            cls.addClassCleanup(agent.dispose)
            cls.agents.append(agent.join())
        client = cls.region.elasticache
        cls.account = cls.region.client("sts").get_caller_identity()["Account"]
        cls.make_access(client)
        cls.make_caches(client)
        cls.make_snapshots(client)
        cls.take_the_default_network()
        for agent in cls.agents:
            agent.process.send_signal(signal.SIGSTOP)
        cls.begin_what_does_not_end(client)

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents:
            agent.process.send_signal(signal.SIGCONT)
            agent.dispose()
        super().tearDownClass()

    # What there is

    @classmethod
    def make_access(cls, client):
        def user(user_id, name=None):
            client.create_user(UserId=user_id, UserName=name or user_id, Engine="redis",
                               AccessString="on ~* +@all", Passwords=[PASSWORD])

        user("my-default", "default")
        user("other-default", "default")
        for name in ("carol", "bob"):
            user(name)
        client.create_user_group(UserGroupId="used", Engine="redis",
                                 UserIds=["my-default", "carol"])
        client.create_user_group(UserGroupId="spare", Engine="redis", UserIds=["my-default"])
        for name in ("held", "free"):
            client.create_cache_parameter_group(CacheParameterGroupName=name, Description="d",
                                                CacheParameterGroupFamily="redis7")

    @classmethod
    def make_caches(cls, client):
        def group(name, members, **more):
            arguments = {"EngineVersion": "7.1", "CacheNodeType": TYPE,
                         "AutomaticFailoverEnabled": members > 1, **more}
            client.create_replication_group(**cls.network.group_arguments(
                ReplicationGroupId=name, NumCacheClusters=members, **arguments))

        def cluster(name, **more):
            client.create_cache_cluster(**cls.network.cluster_arguments(
                CacheClusterId=name, **{"EngineVersion": "7.1", "CacheNodeType": TYPE, **more}))

        group("good", 3, UserGroupIds=["used"])
        group("recovering", 2)
        group("changing", 2)
        group("migrating", 2, MultiAZEnabled=True)
        group("small", 1, EngineVersion="2.8.6", CacheNodeType="cache.t1.micro")
        cluster("alone", CacheParameterGroupName="held")
        cluster("restarting")
        cluster("saving")
        cluster("tiny", EngineVersion="2.8.6", CacheNodeType="cache.t1.micro")
        for name, members in (("good", 3), ("recovering", 2), ("changing", 2), ("migrating", 2),
                              ("small", 1)):
            cls.region.wait_group(name, members)
        for name in ("alone", "restarting", "saving", "tiny"):
            cls.region.wait_cluster(name)

    @classmethod
    def make_snapshots(cls, client):
        """As many of `good` and of `alone` as there can be in a day: one, and copies of it."""
        def status(name):
            return client.describe_snapshots(SnapshotName=name)["Snapshots"][0]["SnapshotStatus"]

        sources = {"of-good": {"ReplicationGroupId": "good"},
                   "of-alone": {"CacheClusterId": "alone"}}
        for name, source in sources.items():
            client.create_snapshot(SnapshotName=name, **source)
        for number in range(MANUAL_SNAPSHOTS - 1):
            for name in sources:
                eventually(lambda: status(name) == "available", f"{name} is available", 60, 0.005)
                client.copy_snapshot(SourceSnapshotName=name, TargetSnapshotName=f"{name}-{number}")
        for name in sources:
            eventually(lambda: status(name) == "available", f"{name} is available", 60, 0.005)
        cls.region.wait_group("good", 3)
        cls.region.wait_cluster("alone")

    @classmethod
    def take_the_default_network(cls):
        vpc = cls.region.ec2.describe_vpcs(
            Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        for subnet in cls.region.ec2.describe_subnets(
                Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]:
            cls.region.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        other = cls.region.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        cls.other_subnet = cls.region.ec2.create_subnet(
            VpcId=other, CidrBlock="10.0.1.0/24",
            AvailabilityZone=ZONES[0])["Subnet"]["SubnetId"]

    @classmethod
    def begin_what_does_not_end(cls, client):
        client.modify_user(UserId="carol", AccessString="on ~a* +@all")
        client.modify_user_group(UserGroupId="used", UserIdsToAdd=["bob"])
        client.reboot_cache_cluster(CacheClusterId="restarting", CacheNodeIdsToReboot=["0001"])
        client.reboot_cache_cluster(CacheClusterId="recovering-002",
                                    CacheNodeIdsToReboot=["0001"])
        client.increase_replica_count(ReplicationGroupId="changing", NewReplicaCount=MEMBERS - 1,
                                      ApplyImmediately=True)
        client.start_migration(ReplicationGroupId="migrating", CustomerNodeEndpointList=SOURCE)
        client.test_failover(ReplicationGroupId="good", NodeGroupId="0001")  # of one a day
        client.create_snapshot(SnapshotName="taking", CacheClusterId="saving")
        client.create_replication_group(**cls.network.group_arguments(
            ReplicationGroupId="coming", NumCacheClusters=1))
