"""The base of all whole-product tests."""

import unittest

from botocore.exceptions import ClientError

from .network import Network
from .region import Region


class RegionTestCase(unittest.TestCase):
    """One region for all tests of a class, ended and checked after the last.

    Every answer that passes through the region's boto3 clients is compared with the service model;
    a test fails when one of its answers differs.
    """

    maxDiff = None
    serve_arguments = ()
    network_name = None  # set: `self.network` is made before the first test

    @classmethod
    def make_region(cls):
        return Region(*cls.serve_arguments)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.region = cls.make_region()
        cls.addClassCleanup(cls.region.dispose)
        cls.region.start()
        if cls.network_name:
            cls.network = Network(cls.region, cls.network_name)

    @classmethod
    def tearDownClass(cls):
        cls.region.stop()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.region.model_check.take_problems()
        self.addCleanup(self._compare_with_model)

    def _compare_with_model(self):
        problems = self.region.model_check.take_problems()
        if problems:
            self.fail("answers differ from the service model:\n" + "\n".join(problems[:12]))

    @property
    def cache(self):
        return self.region.elasticache

    @property
    def ec2(self):
        return self.region.ec2

    def refused(self, code, call, *arguments, status=None, message=None, **parameters):
        """Asserts that the call is refused with this code; returns the message."""
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **parameters)
        error = caught.exception.response
        self.assertEqual(error["Error"]["Code"], code, error["Error"].get("Message"))
        if status is not None:
            self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], status)
        if message is not None:
            self.assertIn(message, error["Error"]["Message"])
        return error["Error"]["Message"]

    def make_group(self, group_id, members=2, **more):
        """Creates a group, waits for it, and deletes it after the test."""
        arguments = self.network.group_arguments(ReplicationGroupId=group_id,
                                                 NumCacheClusters=members, **more)
        if members > 1:
            arguments.setdefault("AutomaticFailoverEnabled", True)
        self.cache.create_replication_group(**arguments)
        self.addCleanup(self.drop_group, group_id)
        return self.region.wait_group(group_id, members)

    def make_cluster(self, cluster_id, **more):
        self.cache.create_cache_cluster(
            **self.network.cluster_arguments(CacheClusterId=cluster_id, **more))
        self.addCleanup(self.drop_cluster, cluster_id)
        return self.region.wait_cluster(cluster_id)

    def drop_group(self, group_id):
        """Deletes the group if it still exists, and waits until it is gone."""
        try:
            group = self.region.group(group_id)
            if group["Status"] != "deleting":
                self.region.wait_group(group_id)
                self.cache.delete_replication_group(ReplicationGroupId=group_id)
        except self.cache.exceptions.ReplicationGroupNotFoundFault:
            return
        self.region.wait_group_gone(group_id)

    def drop_cluster(self, cluster_id):
        try:
            cluster = self.region.cluster(cluster_id)
            if cluster["CacheClusterStatus"] != "deleting":
                self.region.wait_cluster(cluster_id)
                self.cache.delete_cache_cluster(CacheClusterId=cluster_id)
        except self.cache.exceptions.CacheClusterNotFoundFault:
            return
        self.region.wait_cluster_gone(cluster_id)
