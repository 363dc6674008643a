"""The same call once more: what is there already, what is gone, what is already as asked for."""

from support.case import RegionTestCase
from support.users import PASSWORD, UsersMixin
from support.waiting import eventually


class Repeats(UsersMixin, RegionTestCase):
    network_name = "repeats"

    def check(self, create, delete, exists, gone, made, name):
        """create twice, delete twice; `made` waits until it can be deleted, `gone` is the code."""
        create_call, arguments = create
        create_call(**arguments)
        self.refused(exists, create_call, status=400, **arguments)
        made()
        self.refused(exists, create_call, status=400, **arguments)
        delete(**name)

        def is_gone():
            self.refused(gone, delete, **name)
            return True

        eventually(is_gone, f"{name} is gone", 30)

    def test_groups(self):
        """In between, while it is being deleted, its state forbids that."""
        name = {"ReplicationGroupId": "twice"}
        arguments = self.network.group_arguments(NumCacheClusters=2, **name)
        self.check((self.cache.create_replication_group, arguments),
                   self.cache.delete_replication_group, "ReplicationGroupAlreadyExists",
                   "ReplicationGroupNotFoundFault", lambda: self.region.wait_group("twice", 2),
                   name)
        self.make_group("going", 1)
        self.cache.delete_replication_group(ReplicationGroupId="going")
        try:
            self.cache.delete_replication_group(ReplicationGroupId="going")
            self.fail("deleted twice")
        except self.cache.exceptions.InvalidReplicationGroupStateFault as error:
            self.assertIn("status deleting", str(error))
        except self.cache.exceptions.ReplicationGroupNotFoundFault:
            pass  # it was quick

    def test_clusters(self):
        name = {"CacheClusterId": "twice"}
        self.check((self.cache.create_cache_cluster, self.network.cluster_arguments(**name)),
                   self.cache.delete_cache_cluster, "CacheClusterAlreadyExists",
                   "CacheClusterNotFound", lambda: self.region.wait_cluster("twice"), name)

    def test_snapshots(self):
        self.make_cluster("saved")
        name = {"SnapshotName": "twice"}

        def made():
            eventually(lambda: self.cache.describe_snapshots(**name)["Snapshots"][0]
                       ["SnapshotStatus"] == "available", "the snapshot is available")
            self.region.wait_cluster("saved")

        self.check((self.cache.create_snapshot, {**name, "CacheClusterId": "saved"}),
                   self.cache.delete_snapshot, "SnapshotAlreadyExistsFault",
                   "SnapshotNotFoundFault", made, name)

    def test_what_has_no_nodes(self):
        subnets = list(self.network.subnets.values())
        self.make_user("my-default", UserName="default")
        cases = (
            (self.cache.create_cache_parameter_group, self.cache.delete_cache_parameter_group,
             {"CacheParameterGroupName": "twice"},
             {"CacheParameterGroupFamily": "redis7", "Description": "d"},
             "CacheParameterGroupAlreadyExists", "CacheParameterGroupNotFound"),
            (self.cache.create_cache_subnet_group, self.cache.delete_cache_subnet_group,
             {"CacheSubnetGroupName": "twice"},
             {"CacheSubnetGroupDescription": "d", "SubnetIds": subnets},
             "CacheSubnetGroupAlreadyExists", "CacheSubnetGroupNotFoundFault"),
            (self.cache.create_user, self.cache.delete_user, {"UserId": "twice"},
             {"UserName": "twice", "Engine": "redis", "AccessString": "on",
              "Passwords": [PASSWORD]}, "UserAlreadyExists", "UserNotFound"),
            (self.cache.create_user_group, self.cache.delete_user_group, {"UserGroupId": "twice"},
             {"Engine": "redis", "UserIds": ["my-default"]}, "UserGroupAlreadyExists",
             "UserGroupNotFound"))
        for create, delete, name, more, exists, gone in cases:
            with self.subTest(**name):
                self.check((create, {**name, **more}), delete, exists, gone, lambda: None, name)

    def test_the_same_change_twice(self):
        self.make_user("my-default", UserName="default")
        self.make_user("guest")
        self.make_user_group("guests", ["my-default", "guest"])
        self.cache.create_cache_parameter_group(
            CacheParameterGroupName="changed", CacheParameterGroupFamily="redis7", Description="d")
        values = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}]
        arn = self.cache.describe_cache_parameter_groups(
            CacheParameterGroupName="changed")["CacheParameterGroups"][0]["ARN"]
        calls = (
            (self.cache.modify_user, {"UserId": "guest", "AccessString": "off"}),
            (self.cache.modify_user, {"UserId": "guest", "Passwords": [PASSWORD]}),
            (self.cache.modify_cache_subnet_group, {
                "CacheSubnetGroupName": "repeats", "CacheSubnetGroupDescription": "e",
                "SubnetIds": list(self.network.subnets.values())}),
            (self.cache.modify_cache_parameter_group, {
                "CacheParameterGroupName": "changed", "ParameterNameValues": values}),
            (self.cache.reset_cache_parameter_group, {
                "CacheParameterGroupName": "changed", "ResetAllParameters": True}),
            (self.cache.add_tags_to_resource, {
                "ResourceName": arn, "Tags": [{"Key": "k", "Value": "v"}]}))
        for call, arguments in calls:
            with self.subTest(**arguments):
                first, second = call(**arguments), call(**arguments)
                for answer in (first, second):
                    del answer["ResponseMetadata"]
                self.assertEqual(first, second)
        # A change that cannot be made twice says so.
        self.cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["k"])
        self.refused("TagNotFound", self.cache.remove_tags_from_resource, ResourceName=arn,
                     TagKeys=["k"])
        self.cache.modify_user_group(UserGroupId="guests", UserIdsToRemove=["guest"])
        self.refused("UserNotFound", self.cache.modify_user_group, UserGroupId="guests",
                     UserIdsToRemove=["guest"])
        self.cache.modify_user_group(UserGroupId="guests", UserIdsToAdd=["guest"])
        self.refused("DuplicateUserName", self.cache.modify_user_group, UserGroupId="guests",
                     UserIdsToAdd=["guest"])
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="changed")
