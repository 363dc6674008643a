"""Engine versions, events, tags and node type modifications."""

import datetime

from support.case import RegionTestCase
from support.waiting import eventually


class Catalogue(RegionTestCase):
    network_name = "cat"

    # Engine versions

    def versions(self, **filters):
        pages = self.cache.get_paginator("describe_cache_engine_versions").paginate(**filters)
        return [version for page in pages for version in page["CacheEngineVersions"]]

    def test_engine_versions(self):
        rows = self.versions()
        keys = [(row["Engine"], row["EngineVersion"]) for row in rows]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(len(keys), len(set(keys)))
        for key in (("redis", "2.8.6"), ("redis", "7.1"), ("valkey", "8.0"),
                    ("memcached", "1.4.5")):
            self.assertIn(key, keys)
        row = next(row for row in rows if row["EngineVersion"] == "5.0.5")
        self.assertEqual((row["CacheParameterGroupFamily"], row["CacheEngineDescription"],
                          row["CacheEngineVersionDescription"]),
                         ("redis5.0", "Redis", "redis version 5.0.5"))

    def test_filters(self):
        self.assertEqual({row["Engine"] for row in self.versions(Engine="redis")}, {"redis"})
        one = self.versions(Engine="redis", EngineVersion="2.8.6")
        self.assertEqual([row["CacheParameterGroupFamily"] for row in one], ["redis2.8"])
        family = self.versions(CacheParameterGroupFamily="redis2.8")
        self.assertEqual([row["EngineVersion"] for row in family],
                         ["2.8.19", "2.8.21", "2.8.22", "2.8.23", "2.8.24", "2.8.6"])
        self.assertEqual(self.versions(Engine="redis", EngineVersion="99"), [])
        self.assertEqual(len(self.versions(Engine="redis", DefaultOnly=True)), 1)

    def test_pages_of_versions(self):
        pages = list(self.cache.get_paginator("describe_cache_engine_versions").paginate(
            PaginationConfig={"PageSize": 20}))
        self.assertGreater(len(pages), 1)
        self.assertEqual([row for page in pages for row in page["CacheEngineVersions"]],
                         self.versions())
        self.refused("InvalidParameterValue", self.cache.describe_cache_engine_versions,
                     Marker="x")

    # Events

    def messages(self, **filters):
        return [event["Message"] for event in self.cache.describe_events(**filters)["Events"]]

    def test_events_of_a_group(self):
        self.make_group("eventful", 2)
        self.assertIn("Replication group eventful created",
                      self.messages(SourceType="replication-group", SourceIdentifier="eventful"))
        for member in ("eventful-001", "eventful-002"):
            texts = self.messages(SourceType="cache-cluster", SourceIdentifier=member)
            self.assertTrue(any("created" in text for text in texts), texts)
        everything = self.cache.describe_events()["Events"]
        dates = [event["Date"] for event in everything]
        self.assertEqual(dates, sorted(dates, reverse=True))
        self.assertTrue({event["SourceType"] for event in everything}
                        <= {"cache-cluster", "replication-group", "cache-parameter-group",
                            "cache-subnet-group"})

    def test_event_filters(self):
        self.make_cluster("timed")
        eventually(lambda: self.messages(SourceType="cache-cluster", SourceIdentifier="timed"),
                   "the cluster has an event", 5)
        now = datetime.datetime.now(datetime.timezone.utc)
        hour = datetime.timedelta(hours=1)
        self.assertEqual(self.messages(StartTime=now - 3 * hour, EndTime=now - 2 * hour), [])
        self.assertTrue(self.messages(StartTime=now - hour, EndTime=now + hour))
        self.assertTrue(self.messages(Duration=20160))
        self.refused("InvalidParameterCombination", self.cache.describe_events,
                     SourceIdentifier="timed")
        self.refused("InvalidParameterCombination", self.cache.describe_events,
                     StartTime=now, EndTime=now - hour)

    def test_pages_of_events(self):
        for number in range(12):
            self.make_cluster(f"ev-{number:02}")
            self.drop_cluster(f"ev-{number:02}")
        pages = list(self.cache.get_paginator("describe_events").paginate(
            Duration=60, PaginationConfig={"PageSize": 20}))
        self.assertGreater(len(pages), 1)
        self.assertEqual([len(page["Events"]) for page in pages[:-1]], [20] * (len(pages) - 1))
        self.refused("InvalidParameterValue", self.cache.describe_events, Marker="x")

    # Tags

    def tags(self, arn):
        return {tag["Key"]: tag["Value"]
                for tag in self.cache.list_tags_for_resource(ResourceName=arn)["TagList"]}

    def check_tags(self, arn):
        self.assertEqual(self.tags(arn), {"made": "yes"})
        answer = self.cache.add_tags_to_resource(ResourceName=arn, Tags=[
            {"Key": "team", "Value": "cache"}, {"Key": "made", "Value": "again"}])
        self.assertEqual({tag["Key"]: tag["Value"] for tag in answer["TagList"]},
                         {"made": "again", "team": "cache"})
        answer = self.cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["made"])
        self.assertEqual(answer["TagList"], [{"Key": "team", "Value": "cache"}])
        self.assertEqual(self.tags(arn), {"team": "cache"})
        self.refused("TagNotFound", self.cache.remove_tags_from_resource, ResourceName=arn,
                     TagKeys=["absent"], status=404)

    def test_tags_of_every_resource(self):
        tags = [{"Key": "made", "Value": "yes"}]
        group = self.make_group("tagged", 2, Tags=tags)
        self.check_tags(group["ARN"])
        self.assertEqual(self.tags(self.region.cluster("tagged-002")["ARN"]), {"team": "cache"})
        self.check_tags(self.make_cluster("tagged-alone", Tags=tags)["ARN"])
        made = self.cache.create_cache_parameter_group(
            CacheParameterGroupName="tagged", CacheParameterGroupFamily="redis7", Description="d",
            Tags=tags)["CacheParameterGroup"]
        self.check_tags(made["ARN"])
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="tagged")
        made = self.cache.create_cache_subnet_group(
            CacheSubnetGroupName="tagged", CacheSubnetGroupDescription="d", Tags=tags,
            SubnetIds=list(self.network.subnets.values()))["CacheSubnetGroup"]
        self.check_tags(made["ARN"])
        self.cache.delete_cache_subnet_group(CacheSubnetGroupName="tagged")

    def test_tag_refusals(self):
        account = self.region.sts.get_caller_identity()["Account"]
        prefix = f"arn:aws:elasticache:ap-northeast-1:{account}"
        absent = {"cluster": "CacheClusterNotFound",
                  "replicationgroup": "ReplicationGroupNotFoundFault",
                  "parametergroup": "CacheParameterGroupNotFound",
                  "subnetgroup": "CacheSubnetGroupNotFoundFault",
                  "user": "UserNotFound", "snapshot": "SnapshotNotFoundFault"}
        for kind, code in absent.items():
            self.refused(code, self.cache.list_tags_for_resource,
                         ResourceName=f"{prefix}:{kind}:absent", message="absent is not present")
        for arn, fragment in ((f"{prefix}:cluster", "does not have 7 components"),
                              (f"arn:aws:rds:ap-northeast-1:{account}:cluster:x",
                               "service field is wrong"),
                              (f"arn:aws:elasticache:us-east-1:{account}:cluster:x",
                               "Please check the region"),
                              ("arn:aws:elasticache:ap-northeast-1:999999999999:cluster:x",
                               "does not belong to the caller"),
                              (f"arn:mars:elasticache:ap-northeast-1:{account}:cluster:x",
                               "partition field is wrong")):
            self.refused("InvalidARN", self.cache.list_tags_for_resource, ResourceName=arn,
                         message=fragment)
        cluster = self.make_cluster("tagbounds")["ARN"]
        add = self.cache.add_tags_to_resource
        many = [{"Key": f"k{n}", "Value": "v"} for n in range(51)]
        self.refused("TagQuotaPerResourceExceeded", add, ResourceName=cluster, Tags=many)
        for key in ("aws:mine", "", "k" * 129):
            self.refused("InvalidParameterValue", add, ResourceName=cluster,
                         Tags=[{"Key": key, "Value": "v"}])
        self.refused("InvalidParameterValue", add, ResourceName=cluster,
                     Tags=[{"Key": "k", "Value": "v" * 257}])
        self.assertEqual(self.tags(cluster), {})

    # Node types

    def test_allowed_node_types(self):
        self.make_cluster("typed", CacheNodeType="cache.t3.small", EngineVersion="7.1")
        answer = self.cache.list_allowed_node_type_modifications(CacheClusterId="typed")
        self.assertIn("cache.t3.medium", answer["ScaleUpModifications"])
        self.assertIn("cache.t3.micro", answer["ScaleDownModifications"])
        self.assertNotIn("cache.t3.small", answer["ScaleUpModifications"])
        self.make_group("typedgroup", 2)
        answer = self.cache.list_allowed_node_type_modifications(ReplicationGroupId="typedgroup")
        self.assertIn("cache.m3.large", answer["ScaleUpModifications"])
        self.refused("InvalidParameterCombination",
                     self.cache.list_allowed_node_type_modifications)
        self.refused("InvalidParameterCombination",
                     self.cache.list_allowed_node_type_modifications, CacheClusterId="typed",
                     ReplicationGroupId="typedgroup")
        self.refused("CacheClusterNotFound", self.cache.list_allowed_node_type_modifications,
                     CacheClusterId="absent", status=404)
        self.refused("ReplicationGroupNotFoundFault",
                     self.cache.list_allowed_node_type_modifications, status=404,
                     ReplicationGroupId="absent")
