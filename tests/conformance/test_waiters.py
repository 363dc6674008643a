"""The waiters of the CLI and of boto3 come to an end."""

from support.case import RegionTestCase


class Waiters(RegionTestCase):
    """They poll every 15 s, so each one is started when its condition is already true."""

    network_name = "wait"

    def wait(self, name, *arguments):
        self.region.aws("elasticache", "wait", name, *arguments).ok()

    def test_group(self):
        self.make_group("waited", 2)
        self.wait("replication-group-available", "--replication-group-id", "waited")
        self.cache.get_waiter("replication_group_available").wait(ReplicationGroupId="waited")
        self.cache.delete_replication_group(ReplicationGroupId="waited")
        self.region.wait_group_gone("waited")
        self.wait("replication-group-deleted", "--replication-group-id", "waited")
        self.cache.get_waiter("replication_group_deleted").wait(ReplicationGroupId="waited")

    def test_cluster(self):
        self.make_cluster("waited")
        self.wait("cache-cluster-available", "--cache-cluster-id", "waited")
        self.cache.get_waiter("cache_cluster_available").wait(CacheClusterId="waited")
        self.cache.delete_cache_cluster(CacheClusterId="waited")
        self.region.wait_cluster_gone("waited")
        self.wait("cache-cluster-deleted", "--cache-cluster-id", "waited")
        self.cache.get_waiter("cache_cluster_deleted").wait(CacheClusterId="waited")

    def test_deleting_is_no_way_back(self):
        """The deleted waiter fails for good on `available` after a delete."""
        self.make_cluster("once")
        self.cache.delete_cache_cluster(CacheClusterId="once")
        seen = set()
        while True:
            try:
                seen.add(self.region.cluster("once")["CacheClusterStatus"])
            except self.cache.exceptions.CacheClusterNotFoundFault:
                break
        self.assertLessEqual(seen, {"deleting"})

    def test_waiters_of_ec2(self):
        self.region.aws("ec2", "wait", "vpc-available", "--vpc-ids", self.network.vpc).ok()
        self.ec2.get_waiter("subnet_available").wait(SubnetIds=list(self.network.subnets.values()))
