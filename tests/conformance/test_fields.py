"""What Terraform's provider needs to find in answers: without one of these members a plan shows a
change that is none, replaces a resource, or fails. Found by leaving out one after the other."""

from support.case import RegionTestCase
from support.users import UsersMixin

# Members of each shape; `list` stands for a list's elements.
REPLICATION_GROUP = {
    "ReplicationGroupId": None, "Description": None, "Status": None, "MemberClusters": None,
    "SnapshotRetentionLimit": None, "ARN": None, "UserGroupIds": None, "AutomaticFailover": None,
    "MultiAZ": None, "ClusterEnabled": None, "ClusterMode": None, "NetworkType": None,
    "IpDiscovery": None, "SnapshotWindow": None, "AtRestEncryptionEnabled": None,
    "TransitEncryptionEnabled": None, "AuthTokenEnabled": None, "CacheNodeType": None,
    "AutoMinorVersionUpgrade": None, "PendingModifiedValues": None,
    "NodeGroups": {"list": {
        "NodeGroupId": None, "Status": None,
        "PrimaryEndpoint": {"Address": None, "Port": None},
        "ReaderEndpoint": {"Address": None, "Port": None},
        "NodeGroupMembers": {"list": {
            "CacheClusterId": None, "CacheNodeId": None, "PreferredAvailabilityZone": None,
            "CurrentRole": None, "ReadEndpoint": {"Address": None, "Port": None}}}}},
}
CACHE_CLUSTER = {
    "CacheClusterId": None, "CacheNodeType": None, "Engine": None, "EngineVersion": None,
    "NumCacheNodes": None, "PreferredAvailabilityZone": None, "CacheSubnetGroupName": None,
    "AutoMinorVersionUpgrade": None, "TransitEncryptionEnabled": None, "ARN": None,
    "PreferredMaintenanceWindow": None, "SnapshotWindow": None, "SnapshotRetentionLimit": None,
    "NetworkType": None, "IpDiscovery": None,
    "SecurityGroups": {"list": {"SecurityGroupId": None, "Status": None}},
    "CacheParameterGroup": {"CacheParameterGroupName": None},
    "CacheNodes": {"list": {
        "CacheNodeId": None, "CustomerAvailabilityZone": None,
        "Endpoint": {"Address": None, "Port": None}}},
}
SUBNET_GROUP = {
    "CacheSubnetGroupName": None, "CacheSubnetGroupDescription": None, "VpcId": None, "ARN": None,
    "Subnets": {"list": {"SubnetIdentifier": None, "SubnetAvailabilityZone": {"Name": None}}},
}
PARAMETER_GROUP = {
    "CacheParameterGroupName": None, "CacheParameterGroupFamily": None, "Description": None,
    "ARN": None,
}
USER = {
    "UserId": None, "UserName": None, "Status": None, "Engine": None, "AccessString": None,
    "ARN": None, "Authentication": {"Type": None, "PasswordCount": None},
}
USER_GROUP = {"UserGroupId": None, "Engine": None, "UserIds": None, "Status": None, "ARN": None}


def missing(answer, wanted, path=""):
    """The paths of members that the answer lacks."""
    if wanted is None:
        return []
    if "list" in wanted:
        if not answer:
            return [f"{path}[]"]
        return [lack for element in answer for lack in missing(element, wanted["list"], path)]
    out = []
    for name, inner in wanted.items():
        here = f"{path}.{name}" if path else name
        out += missing(answer[name], inner, here) if name in answer else [here]
    return out


class FieldsThatTerraformNeeds(UsersMixin, RegionTestCase):
    network_name = "fields"

    def check(self, answer, wanted):
        self.assertEqual(missing(answer, wanted), [])

    def test_replication_group_and_its_members(self):
        self.make_group("fields", 3, EngineVersion="7.1", MultiAZEnabled=True)
        group = self.cache.describe_replication_groups(
            ReplicationGroupId="fields")["ReplicationGroups"][0]
        self.check(group, REPLICATION_GROUP)
        self.assertNotIn("ConfigurationEndpoint", group)
        self.assertEqual(group["PendingModifiedValues"], {})
        self.assertEqual(group["AutomaticFailover"], "enabled")
        members = [m["CacheClusterId"] for m in group["NodeGroups"][0]["NodeGroupMembers"]]
        self.assertEqual(members, group["MemberClusters"])
        self.assertEqual(members, sorted(members))
        for member in members:
            cluster = self.cache.describe_cache_clusters(
                CacheClusterId=member, ShowCacheNodeInfo=True)["CacheClusters"][0]
            self.check(cluster, CACHE_CLUSTER)
            self.assertNotIn("ConfigurationEndpoint", cluster)
            self.assertEqual(cluster["EngineVersion"], "7.1.0")

    def test_a_modification_that_changes_nothing_is_taken(self):
        self.make_group("fields-same", 2, EngineVersion="7.1")
        group = self.cache.modify_replication_group(
            ReplicationGroupId="fields-same", AutomaticFailoverEnabled=True,
            TransitEncryptionEnabled=False, ApplyImmediately=True)["ReplicationGroup"]
        self.assertEqual(group["PendingModifiedValues"], {})

    def test_single_cluster(self):
        self.make_cluster("fields-one")
        self.check(self.cache.describe_cache_clusters(
            CacheClusterId="fields-one", ShowCacheNodeInfo=True)["CacheClusters"][0], CACHE_CLUSTER)

    def test_groups_of_subnets_and_parameters(self):
        self.check(self.cache.describe_cache_subnet_groups(
            CacheSubnetGroupName=self.network.name)["CacheSubnetGroups"][0], SUBNET_GROUP)
        self.cache.create_cache_parameter_group(
            CacheParameterGroupName="fields", CacheParameterGroupFamily="redis7", Description="d")
        self.addCleanup(self.cache.delete_cache_parameter_group, CacheParameterGroupName="fields")
        self.check(self.cache.describe_cache_parameter_groups(
            CacheParameterGroupName="fields")["CacheParameterGroups"][0], PARAMETER_GROUP)
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName="fields",
            ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "30"}])
        own = self.cache.describe_cache_parameters(CacheParameterGroupName="fields", Source="user")
        self.assertEqual([(p["ParameterName"], p["ParameterValue"]) for p in own["Parameters"]],
                         [("timeout", "30")])

    def test_users_and_tags(self):
        access = "on  ~Fields:* +GET -@all +get"
        self.make_user("fields-default", UserName="default")
        self.make_user("fields-user", access=access)
        self.make_user_group("fields", ["fields-default", "fields-user"])
        user = self.user("fields-user")
        self.check(user, USER)
        self.assertEqual(user["AccessString"], access)
        self.check(self.user_group("fields"), USER_GROUP)
        self.cache.add_tags_to_resource(ResourceName=user["ARN"], Tags=[{"Key": "a", "Value": ""}])
        tags = self.cache.list_tags_for_resource(ResourceName=user["ARN"])["TagList"]
        self.assertEqual(tags, [{"Key": "a", "Value": ""}])
