"""A VPC with subnets, a security group and a cache subnet group: what every cache needs."""

import random
import socket

ZONES = ("ap-northeast-1b", "ap-northeast-1c")
# The third byte of a subnet's addresses. Others belong to the examples and to the article.
THIRD_BYTES = range(16, 200)


def reserve_third_byte():
    """A third byte that no other test of this network namespace has, and what holds it until it is
    closed, or this process ends: a name of an abstract socket."""
    for third in random.sample(THIRD_BYTES, len(THIRD_BYTES)):
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0hikae-test-subnet-{third}")
        except OSError:
            held.close()
            continue
        return third, held
    raise AssertionError("all subnets are in use by tests")


class Network:
    """Made through the API. `subnets` is {zone: subnet id}.

    The node at a.b.y.z of a VPC answers on the loopback address 127.n.y.z, n being the VPC's number
    in its region. Tests that run at the same time therefore have different y.
    """

    def __init__(self, region, name="net", zones=ZONES):
        self.region = region
        self.name = name
        ec2 = region.ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = {}
        for zone in zones:
            self.subnets[zone] = self._subnet(zone)
        self.security_group = ec2.create_security_group(
            GroupName=f"{name}-sg", Description="clients", VpcId=self.vpc)["GroupId"]
        region.elasticache.create_cache_subnet_group(
            CacheSubnetGroupName=name, CacheSubnetGroupDescription="for a test",
            SubnetIds=list(self.subnets.values()))

    def _subnet(self, zone):
        third, held = reserve_third_byte()
        self.region.on_dispose(held.close)
        return self.region.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.0.{third}.0/24",
            AvailabilityZone=zone)["Subnet"]["SubnetId"]

    def group_arguments(self, **more):
        """Arguments of create_replication_group that suit this network."""
        arguments = {
            "ReplicationGroupDescription": "of a test", "Engine": "redis",
            "EngineVersion": "2.8.6", "CacheNodeType": "cache.m3.medium",
            "CacheSubnetGroupName": self.name, "SecurityGroupIds": [self.security_group],
        }
        arguments.update(more)
        return arguments

    def cluster_arguments(self, **more):
        """Arguments of create_cache_cluster that suit this network."""
        arguments = self.group_arguments(NumCacheNodes=1)
        del arguments["ReplicationGroupDescription"]
        arguments.update(more)
        return arguments

    def delete(self):
        """Everything again, at once: works only when nothing uses it any more."""
        self.region.elasticache.delete_cache_subnet_group(CacheSubnetGroupName=self.name)
        self.region.ec2.delete_security_group(GroupId=self.security_group)
        for subnet in self.subnets.values():
            self.region.ec2.delete_subnet(SubnetId=subnet)
        self.region.ec2.delete_vpc(VpcId=self.vpc)
