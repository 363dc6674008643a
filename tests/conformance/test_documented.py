"""Every error that the service model documents for every built action, provoked for real.

`cannot_occur` has those that Hikae never gives, and why. An action or an error in neither place
fails the test.
"""

from botocore import xform_name
from botocore.exceptions import ClientError

from conformance.cannot_occur import CANNOT_OCCUR, reason_of
from conformance.documented_world import MEMBERS, SOURCE, TYPE, World
from conformance.test_hostile import model_of
from support.aws_cli import AwsCli
from support.filling import fill
from support.users import OTHER_PASSWORD, PASSWORD

ABSENT = "nobody"
MODEL = model_of("elasticache")
BUILT = {name: facts for name, facts in MODEL["actions"].items() if facts["handler"] == "present"}
TOO_MANY_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
BAD_TAG = [{"Key": "aws:mine", "Value": "v"}]
NODE_QUOTA = "NodeQuotaForCustomerExceeded"
NODES = 5000


def code_of(error):
    return MODEL["faults"].get(error, {}).get("code", error)


class Documented(World):
    def arn(self, kind, name):
        return f"arn:aws:elasticache:{self.region.name}:{self.account}:{kind}:{name}"

    # What is refused: {action: {error: parameters}}

    def of_tags(self):
        absent = {"CacheClusterNotFound": "cluster", "SnapshotNotFoundFault": "snapshot",
                  "CacheParameterGroupNotFound": "parametergroup",
                  "CacheSecurityGroupNotFound": "securitygroup",
                  "CacheSubnetGroupNotFoundFault": "subnetgroup", "UserNotFound": "user",
                  "ReplicationGroupNotFoundFault": "replicationgroup",
                  "UserGroupNotFound": "usergroup",
                  "ReservedCacheNodeNotFound": "reserved-instance",
                  "ServerlessCacheNotFoundFault": "serverlesscache",
                  "ServerlessCacheSnapshotNotFoundFault": "serverlesscachesnapshot"}
        wrong = {error: self.arn(kind, ABSENT) for error, kind in absent.items()}
        wrong["InvalidARN"] = "arn:aws:elasticache"
        busy = {"InvalidReplicationGroupState": self.arn("replicationgroup", "changing")}
        own = self.arn("parametergroup", "free")
        add = {error: {"ResourceName": arn, "Tags": [{"Key": "k", "Value": "v"}]}
               for error, arn in {**wrong, **busy}.items()}
        remove = {error: {"ResourceName": arn, "TagKeys": ["k"]}
                  for error, arn in {**wrong, **busy}.items()}
        return {
            "AddTagsToResource": {**add, "TagQuotaPerResourceExceeded": {
                "ResourceName": own, "Tags": TOO_MANY_TAGS}},
            "RemoveTagsFromResource": {**remove, "TagNotFound": {
                "ResourceName": own, "TagKeys": ["never-there"]}},
            "ListTagsForResource": {error: {"ResourceName": arn} for error, arn in wrong.items()}}

    def of_groups(self):
        good = {"ReplicationGroupId": "good"}
        changing = {"ReplicationGroupId": "changing"}
        absent = {"ReplicationGroupId": ABSENT}
        new = self.network.group_arguments(ReplicationGroupId="new", NumCacheClusters=1,
                                           EngineVersion="7.1", CacheNodeType=TYPE)
        no_subnets = {name: value for name, value in new.items() if name != "CacheSubnetGroupName"}
        final = {**good, "FinalSnapshotIdentifier": "last"}
        now = {"ApplyImmediately": True}
        shard = {"NodeGroupId": "0001"}
        return {
            "CreateReplicationGroup": {
                "CacheClusterNotFound": {**new, "PrimaryClusterId": ABSENT},
                "InvalidCacheClusterState": {**new, "PrimaryClusterId": "restarting"},
                "ReplicationGroupAlreadyExists": {**new, "ReplicationGroupId": "GOOD"},
                "InvalidUserGroupState": {**new, "UserGroupIds": ["used"]},
                "UserGroupNotFound": {**new, "UserGroupIds": [ABSENT]},
                "CacheSubnetGroupNotFoundFault": {**new, "CacheSubnetGroupName": ABSENT},
                "CacheParameterGroupNotFound": {**new, "CacheParameterGroupName": ABSENT},
                "InvalidVPCNetworkStateFault": no_subnets,
                "TagQuotaPerResourceExceeded": {**new, "Tags": TOO_MANY_TAGS},
                "InvalidParameterValue": {**new, "Engine": "mongo"},
                "InvalidParameterCombination": {**new, "AutomaticFailoverEnabled": True}},
            "DeleteReplicationGroup": {
                "ReplicationGroupNotFoundFault": absent,
                "InvalidReplicationGroupState": changing,
                "SnapshotAlreadyExistsFault": {**final, "FinalSnapshotIdentifier": "of-good"},
                "SnapshotFeatureNotSupportedFault": {**final, "ReplicationGroupId": "small"},
                "SnapshotQuotaExceededFault": final,
                "InvalidParameterValue": {**final, "FinalSnapshotIdentifier": "1st"},
                "InvalidParameterCombination": {**good, "RetainPrimaryCluster": True}},
            "ModifyReplicationGroup": {
                "ReplicationGroupNotFoundFault": {**absent, "CacheNodeType": TYPE},
                "InvalidReplicationGroupState": {**changing, "CacheNodeType": TYPE},
                "InvalidUserGroupState": {"ReplicationGroupId": "recovering",
                                          "UserGroupIdsToAdd": ["used"]},
                "UserGroupNotFound": {"ReplicationGroupId": "recovering",
                                      "UserGroupIdsToAdd": [ABSENT]},
                "InvalidCacheClusterState": {"ReplicationGroupId": "recovering",
                                             "PrimaryClusterId": "recovering-002"},
                "CacheClusterNotFound": {**good, "PrimaryClusterId": ABSENT},
                "CacheParameterGroupNotFound": {**good, "CacheParameterGroupName": ABSENT},
                "InvalidParameterValue": {**good, "PrimaryClusterId": "alone"},
                "InvalidParameterCombination": good},
            "IncreaseReplicaCount": {
                "ReplicationGroupNotFoundFault": {**absent, **now, "NewReplicaCount": 3},
                "InvalidReplicationGroupState": {**changing, **now, "NewReplicaCount": 3},
                "InvalidCacheClusterState": {"ReplicationGroupId": "recovering", **now,
                                             "NewReplicaCount": 3},
                "NoOperationFault": {**good, **now, "NewReplicaCount": 2},
                "InvalidParameterValue": {**good, **now, "NewReplicaCount": 6},
                "InvalidParameterCombination": {**good, **now}},
            "DecreaseReplicaCount": {
                "ReplicationGroupNotFoundFault": {**absent, **now, "NewReplicaCount": 1},
                "InvalidReplicationGroupState": {**changing, **now, "NewReplicaCount": 1},
                "InvalidCacheClusterState": {"ReplicationGroupId": "recovering", **now,
                                             "NewReplicaCount": 0},
                "NoOperationFault": {**good, **now, "NewReplicaCount": 2},
                "InvalidParameterValue": {**good, **now, "NewReplicaCount": 0},
                "InvalidParameterCombination": {**good, **now}},
            "TestFailover": {
                "ReplicationGroupNotFoundFault": {**absent, **shard},
                "InvalidReplicationGroupState": {**changing, **shard},
                "InvalidCacheClusterState": {"ReplicationGroupId": "recovering", **shard},
                "NodeGroupNotFoundFault": {**good, "NodeGroupId": "0009"},
                "APICallRateForCustomerExceeded": {**good, **shard},
                "InvalidParameterValue": {**good, "NodeGroupId": "first"}},
            "DescribeReplicationGroups": {
                "ReplicationGroupNotFoundFault": absent,
                "InvalidParameterValue": {"MaxRecords": 19}},
            "StartMigration": self.of_migration(),
            "TestMigration": self.of_migration(),
            "CompleteMigration": {
                "ReplicationGroupNotFoundFault": absent,
                "InvalidReplicationGroupState": {"ReplicationGroupId": "migrating"},
                "ReplicationGroupNotUnderMigrationFault": good}}

    @staticmethod
    def of_migration():
        def at(group, sources):
            return {"ReplicationGroupId": group, "CustomerNodeEndpointList": sources}

        return {"ReplicationGroupNotFoundFault": at(ABSENT, SOURCE),
                "InvalidReplicationGroupState": at("changing", SOURCE),
                "ReplicationGroupAlreadyUnderMigrationFault": at("migrating", SOURCE),
                "InvalidParameterValue": at("good", SOURCE * 2)}

    def of_clusters(self):
        new = self.network.cluster_arguments(CacheClusterId="new", EngineVersion="7.1",
                                             CacheNodeType=TYPE)
        no_subnets = {name: value for name, value in new.items() if name != "CacheSubnetGroupName"}
        member = {"CacheClusterId": "new", "ReplicationGroupId": "changing"}
        final = {"CacheClusterId": "alone", "FinalSnapshotIdentifier": "last"}
        absent = {"CacheClusterId": ABSENT}
        restarting = {"CacheClusterId": "restarting"}
        alone = {"CacheClusterId": "alone"}
        node = {"CacheNodeIdsToReboot": ["0001"]}
        return {
            "CreateCacheCluster": {
                "ReplicationGroupNotFoundFault": {**member, "ReplicationGroupId": ABSENT},
                "InvalidReplicationGroupState": {**member, "ReplicationGroupId": "coming"},
                "CacheClusterAlreadyExists": {**new, "CacheClusterId": "ALONE"},
                "CacheSubnetGroupNotFoundFault": {**new, "CacheSubnetGroupName": ABSENT},
                "NodeQuotaForClusterExceeded": member,
                "CacheParameterGroupNotFound": {**new, "CacheParameterGroupName": ABSENT},
                "InvalidVPCNetworkStateFault": no_subnets,
                "TagQuotaPerResourceExceeded": {**new, "Tags": TOO_MANY_TAGS},
                "InvalidParameterValue": {**new, "NumCacheNodes": 2},
                "InvalidParameterCombination": {**new, "EngineVersion": "7.9"}},
            "DeleteCacheCluster": {
                "CacheClusterNotFound": absent,
                "InvalidCacheClusterState": restarting,
                "SnapshotAlreadyExistsFault": {**final, "FinalSnapshotIdentifier": "of-alone"},
                "SnapshotFeatureNotSupportedFault": {**final, "CacheClusterId": "tiny"},
                "SnapshotQuotaExceededFault": final,
                "InvalidParameterValue": {**final, "FinalSnapshotIdentifier": "1st"},
                "InvalidParameterCombination": {**final, "CacheClusterId": "good-003"}},
            "ModifyCacheCluster": {
                "InvalidCacheClusterState": {**restarting, "CacheNodeType": TYPE},
                "CacheClusterNotFound": {**absent, "CacheNodeType": TYPE},
                "CacheParameterGroupNotFound": {**alone, "CacheParameterGroupName": ABSENT},
                "InvalidParameterValue": {**alone, "CacheNodeType": "cache.none"},
                "InvalidParameterCombination": alone},
            "RebootCacheCluster": {
                "InvalidCacheClusterState": {**restarting, **node},
                "CacheClusterNotFound": {**absent, **node}},
            "DescribeCacheClusters": {
                "CacheClusterNotFound": absent,
                "InvalidParameterValue": {"MaxRecords": 101}},
            "ListAllowedNodeTypeModifications": {
                "CacheClusterNotFound": absent,
                "ReplicationGroupNotFoundFault": {"ReplicationGroupId": ABSENT},
                "InvalidParameterCombination": {}}}

    def of_snapshots(self):
        new = {"SnapshotName": "new"}
        copy = {"SourceSnapshotName": "of-good", "TargetSnapshotName": "copy"}
        key = {"KmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"}
        return {
            "CreateSnapshot": {
                "SnapshotAlreadyExistsFault": {"SnapshotName": "OF-GOOD",
                                               "CacheClusterId": "alone"},
                "CacheClusterNotFound": {**new, "CacheClusterId": ABSENT},
                "ReplicationGroupNotFoundFault": {**new, "ReplicationGroupId": ABSENT},
                "InvalidCacheClusterState": {**new, "CacheClusterId": "restarting"},
                "InvalidReplicationGroupState": {**new, "ReplicationGroupId": "changing"},
                "SnapshotQuotaExceededFault": {**new, "ReplicationGroupId": "good"},
                "SnapshotFeatureNotSupportedFault": {**new, "CacheClusterId": "tiny"},
                "TagQuotaPerResourceExceeded": {**new, "CacheClusterId": "alone",
                                                "Tags": TOO_MANY_TAGS},
                "InvalidParameterCombination": new,
                "InvalidParameterValue": {"SnapshotName": "1st", "CacheClusterId": "alone"}},
            "CopySnapshot": {
                "SnapshotAlreadyExistsFault": {**copy, "TargetSnapshotName": "of-alone"},
                "SnapshotNotFoundFault": {**copy, "SourceSnapshotName": ABSENT},
                "SnapshotQuotaExceededFault": copy,
                "InvalidSnapshotState": {**copy, "SourceSnapshotName": "taking"},
                "TagQuotaPerResourceExceeded": {**copy, "Tags": TOO_MANY_TAGS},
                "InvalidParameterValue": {**copy, "TargetSnapshotName": "1st"},
                "InvalidParameterCombination": {**copy, **key}},
            "DeleteSnapshot": {
                "SnapshotNotFoundFault": {"SnapshotName": ABSENT},
                "InvalidSnapshotState": {"SnapshotName": "taking"}},
            "DescribeSnapshots": {
                "CacheClusterNotFound": {"CacheClusterId": ABSENT},
                "SnapshotNotFoundFault": {"SnapshotName": ABSENT},
                "InvalidParameterValue": {"SnapshotSource": "elsewhere"}}}

    def of_access(self):
        user = {"UserId": "new", "UserName": "new", "Engine": "redis", "AccessString": "on",
                "Passwords": [PASSWORD]}
        group = {"UserGroupId": "new", "Engine": "redis", "UserIds": ["my-default"]}
        spare = {"UserGroupId": "spare"}
        twice = ["my-default", "other-default"]
        return {
            "CreateUser": {
                "UserAlreadyExists": {**user, "UserId": "BOB"},
                "InvalidParameterValue": {**user, "AccessString": "on +nonsense"},
                "InvalidParameterCombination": {**user, "NoPasswordRequired": True},
                "TagQuotaPerResourceExceeded": {**user, "Tags": TOO_MANY_TAGS}},
            "ModifyUser": {
                "UserNotFound": {"UserId": ABSENT, "AccessString": "on"},
                "InvalidUserState": {"UserId": "carol", "AccessString": "on"},
                "InvalidParameterValue": {"UserId": "bob", "Passwords": ["short"]},
                "InvalidParameterCombination": {"UserId": "bob", "Passwords": [OTHER_PASSWORD],
                                                "NoPasswordRequired": True}},
            "DeleteUser": {
                "InvalidUserState": {"UserId": "carol"},
                "UserNotFound": {"UserId": ABSENT},
                "InvalidParameterValue": {"UserId": "default"},
                "DefaultUserAssociatedToUserGroup": {"UserId": "my-default"}},
            "DescribeUsers": {"UserNotFound": {"UserId": ABSENT}},
            "CreateUserGroup": {
                "UserNotFound": {**group, "UserIds": ["my-default", ABSENT]},
                "DuplicateUserName": {**group, "UserIds": twice},
                "UserGroupAlreadyExists": {**group, "UserGroupId": "SPARE"},
                "DefaultUserRequired": {**group, "UserIds": ["bob"]},
                "InvalidParameterValue": {**group, "Engine": "memcached"},
                "TagQuotaPerResourceExceeded": {**group, "Tags": TOO_MANY_TAGS}},
            "ModifyUserGroup": {
                "UserGroupNotFound": {"UserGroupId": ABSENT, "UserIdsToAdd": ["bob"]},
                "UserNotFound": {**spare, "UserIdsToAdd": [ABSENT]},
                "DuplicateUserName": {**spare, "UserIdsToAdd": ["other-default"]},
                "DefaultUserRequired": {**spare, "UserIdsToRemove": ["my-default"]},
                "InvalidUserGroupState": {"UserGroupId": "used", "UserIdsToRemove": ["bob"]},
                "InvalidParameterValue": {**spare, "Engine": "memcached"},
                "InvalidParameterCombination": spare},
            "DeleteUserGroup": {
                "UserGroupNotFound": {"UserGroupId": ABSENT},
                "InvalidUserGroupState": {"UserGroupId": "used"}},
            "DescribeUserGroups": {"UserGroupNotFound": {"UserGroupId": ABSENT}}}

    def of_parameter_groups(self):
        new = {"CacheParameterGroupName": "new", "CacheParameterGroupFamily": "redis7",
               "Description": "d"}
        absent = {"CacheParameterGroupName": ABSENT}
        free, held = ({"CacheParameterGroupName": name} for name in ("free", "held"))
        databases = {"ParameterNameValues": [{"ParameterName": "databases",
                                              "ParameterValue": "8"}]}
        unknown = {"ParameterNameValues": [{"ParameterName": "no-such", "ParameterValue": "8"}]}
        return {
            "CreateCacheParameterGroup": {
                "CacheParameterGroupAlreadyExists": {**new, "CacheParameterGroupName": "FREE"},
                "TagQuotaPerResourceExceeded": {**new, "Tags": TOO_MANY_TAGS},
                "InvalidParameterValue": {**new, "CacheParameterGroupFamily": "redis99"}},
            "ModifyCacheParameterGroup": {
                "CacheParameterGroupNotFound": {**absent, **databases},
                "InvalidCacheParameterGroupState": {**held, **databases},
                "InvalidParameterValue": {**free, **unknown}},
            "ResetCacheParameterGroup": {
                "CacheParameterGroupNotFound": {**absent, "ResetAllParameters": True},
                "InvalidCacheParameterGroupState": {**held, **databases},
                "InvalidParameterValue": {**free, **unknown},
                "InvalidParameterCombination": {**free, **databases, "ResetAllParameters": True}},
            "DeleteCacheParameterGroup": {
                "CacheParameterGroupNotFound": absent,
                "InvalidCacheParameterGroupState": held,
                "InvalidParameterValue": {"CacheParameterGroupName": "default.redis7"}},
            "DescribeCacheParameterGroups": {
                "CacheParameterGroupNotFound": absent,
                "InvalidParameterValue": {"MaxRecords": 19}},
            "DescribeCacheParameters": {
                "CacheParameterGroupNotFound": absent,
                "InvalidParameterValue": {**free, "MaxRecords": 19}},
            "DescribeEngineDefaultParameters": {
                "InvalidParameterValue": {"CacheParameterGroupFamily": "redis99"}}}

    def of_subnet_groups(self):
        own = list(self.network.subnets.values())
        many = [f"subnet-{number:017x}" for number in range(21)]
        new = {"CacheSubnetGroupName": "new", "CacheSubnetGroupDescription": "d", "SubnetIds": own}
        doc = {"CacheSubnetGroupName": "doc"}
        absent = {"CacheSubnetGroupName": ABSENT}
        return {
            "CreateCacheSubnetGroup": {
                "CacheSubnetGroupAlreadyExists": {**new, "CacheSubnetGroupName": "DOC"},
                "CacheSubnetQuotaExceededFault": {**new, "SubnetIds": many},
                "TagQuotaPerResourceExceeded": {**new, "Tags": TOO_MANY_TAGS},
                "InvalidSubnet": {**new, "SubnetIds": [own[0], self.other_subnet]}},
            "ModifyCacheSubnetGroup": {
                "CacheSubnetGroupNotFoundFault": absent,
                "CacheSubnetQuotaExceededFault": {**doc, "SubnetIds": many},
                "SubnetInUse": {**doc, "SubnetIds": own[:1]},
                "InvalidSubnet": {**doc, "SubnetIds": [self.other_subnet]}},
            "DeleteCacheSubnetGroup": {
                "CacheSubnetGroupInUse": doc,
                "CacheSubnetGroupNotFoundFault": absent},
            "DescribeCacheSubnetGroups": {"CacheSubnetGroupNotFoundFault": absent}}

    def of_the_rest(self):
        classic = {"CacheSecurityGroupName": "mine"}
        ingress = {**classic, "EC2SecurityGroupName": "web", "EC2SecurityGroupOwnerId": "1" * 12}
        offering = {"ReservedCacheNodesOfferingId": self.cache.
                    describe_reserved_cache_nodes_offerings()["ReservedCacheNodesOfferings"][0]
                    ["ReservedCacheNodesOfferingId"]}
        no_offering = {"ReservedCacheNodesOfferingId": ABSENT}
        page = {"InvalidParameterValue": {"MaxRecords": 19}}
        update = {"ServiceUpdateNotFoundFault": {"ServiceUpdateName": ABSENT,
                                                 "CacheClusterIds": ["alone"]},
                  "InvalidParameterValue": {"ServiceUpdateName": ABSENT,
                                            "CacheClusterIds": ["alone"] * 21}}
        return {
            "AuthorizeCacheSecurityGroupIngress": {"InvalidParameterValue": ingress},
            "RevokeCacheSecurityGroupIngress": {"InvalidParameterValue": ingress},
            "CreateCacheSecurityGroup": {
                "InvalidParameterValue": {**classic, "Description": "d"}},
            "DeleteCacheSecurityGroup": {"InvalidParameterValue": classic},
            "DescribeCacheSecurityGroups": {"CacheSecurityGroupNotFound": classic, **page},
            "DescribeReservedCacheNodes": {
                "ReservedCacheNodeNotFound": {"ReservedCacheNodeId": ABSENT}, **page},
            "DescribeReservedCacheNodesOfferings": {
                "ReservedCacheNodesOfferingNotFound": no_offering, **page},
            "PurchaseReservedCacheNodesOffering": {
                "ReservedCacheNodesOfferingNotFound": no_offering,
                "ReservedCacheNodeQuotaExceeded": offering,
                "TagQuotaPerResourceExceeded": {**offering, "Tags": TOO_MANY_TAGS},
                "InvalidParameterValue": {**offering, "Tags": BAD_TAG}},
            "BatchApplyUpdateAction": update,
            "BatchStopUpdateAction": update,
            "DescribeServiceUpdates": {
                "ServiceUpdateNotFoundFault": {"ServiceUpdateName": ABSENT}, **page},
            "DescribeUpdateActions": page,
            "DescribeEvents": {**page, "InvalidParameterCombination": {
                "SourceIdentifier": "good"}}}

    # Quotas: what fills them, and the one too many. {action: (error, parameters of one more)}

    def of_quotas(self):
        subnet = next(iter(self.network.subnets.values()))
        return {
            "CreateUser": ("UserQuotaExceeded", 1000, {
                "UserId": "u{}", "UserName": "u{}", "Engine": "redis", "AccessString": "on",
                "NoPasswordRequired": "true"}),
            "CreateUserGroup": ("UserGroupQuotaExceeded", 100, {
                "UserGroupId": "g{}", "Engine": "redis", "UserIds.member.1": "my-default"}),
            "CreateCacheParameterGroup": ("CacheParameterGroupQuotaExceeded", 300, {
                "CacheParameterGroupName": "p{}", "CacheParameterGroupFamily": "redis7",
                "Description": "d"}),
            "CreateCacheSubnetGroup": ("CacheSubnetGroupQuotaExceeded", 300, {
                "CacheSubnetGroupName": "s{}", "CacheSubnetGroupDescription": "d",
                "SubnetIds.SubnetIdentifier.1": subnet})}

    def refusals(self):
        found = {}
        for part in (self.of_tags(), self.of_groups(), self.of_clusters(), self.of_snapshots(),
                     self.of_access(), self.of_parameter_groups(), self.of_subnet_groups(),
                     self.of_the_rest()):
            found.update(part)
        return found

    def of_node_quota(self):
        """The last ones to be provoked: the region is full then."""
        new = {"EngineVersion": "7.1", "CacheNodeType": TYPE}
        return {
            "CreateCacheCluster": self.network.cluster_arguments(CacheClusterId="new", **new),
            "CreateReplicationGroup": self.network.group_arguments(
                ReplicationGroupId="new", NumCacheClusters=1, **new),
            "IncreaseReplicaCount": {"ReplicationGroupId": "good", "NewReplicaCount": 3,
                                     "ApplyImmediately": True}}

    def test_every_pair_is_decided(self):
        provoked = {(action, error) for action, errors in self.refusals().items()
                    for error in errors}
        provoked |= {(action, quota[0]) for action, quota in self.of_quotas().items()}
        provoked |= {(action, NODE_QUOTA) for action in self.of_node_quota()}
        documented = {(action, error) for action, facts in BUILT.items()
                      for error in facts["faults"]}
        impossible = {pair for pair in documented if reason_of(*pair)}
        self.assertEqual(sorted(documented - provoked - impossible), [], "nobody decided on these")
        self.assertEqual(sorted(provoked & impossible), [], "these do occur")
        self.assertEqual(sorted(provoked - documented), [], "the model does not have these")
        known = {error for _, error in documented}
        self.assertEqual(sorted(set(CANNOT_OCCUR) - known), [])
        for error, reasons in CANNOT_OCCUR.items():
            for actions in reasons:
                for action in actions or ():
                    self.assertIn((action, error), documented)

    def test_every_documented_error(self):
        for action, errors in self.refusals().items():
            for error, parameters in errors.items():
                with self.subTest(action=action, error=error):
                    self.provoke(action, error, parameters)
        self.assertEqual(self.region.group("good")["Status"], "available")

    def provoke(self, action, error, parameters):
        call = getattr(self.cache, xform_name(action))
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        answer = caught.exception.response
        code = code_of(error)
        self.assertEqual(answer["Error"]["Code"], code, answer["Error"].get("Message"))
        self.assertTrue(answer["Error"]["Message"])
        metadata = answer["ResponseMetadata"]
        self.assertEqual(metadata["HTTPStatusCode"], MODEL["faults"][error]["status"])
        self.assertRegex(metadata["RequestId"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

    def test_every_documented_error_by_the_cli(self):
        """The first one of each action."""
        cli = AwsCli(self.region, "elasticache")
        for action, errors in self.refusals().items():
            error, parameters = next(iter(errors.items()))
            with self.subTest(action=action, error=error):
                outcome = cli.run(xform_name(action, "-"), **parameters)
                self.assertNotEqual(outcome.code, 0, outcome)
                self.assertIn(f"An error occurred ({code_of(error)}) when calling the {action} "
                              "operation: ", outcome.err)

    def test_pages_of_snapshots(self):
        """Here are many of them, with names that no other one's pages would have."""
        names, marker = [], {}
        while marker is not None:
            page = self.cache.describe_snapshots(MaxRecords=20, **marker)
            names.append([one["SnapshotName"] for one in page["Snapshots"]])
            marker = {"Marker": page["Marker"]} if "Marker" in page else None
        self.assertEqual([len(page) for page in names], [20, 20, 1])
        everything = sum(names, [])
        self.assertEqual(everything, sorted(set(everything)))

    def test_quotas(self):
        for action, (error, most, parameters) in self.of_quotas().items():
            with self.subTest(action=action, error=error):
                counts = fill(self.region, [
                    {"Action": action, **{name: value.format(number)
                                          for name, value in parameters.items()}}
                    for number in range(most + 1)])
                self.assertEqual(set(counts), {200, error})
                self.assertLessEqual(counts[200], most)

    def test_the_quota_of_nodes(self):
        def group(name, members):
            arguments = self.network.group_arguments(Action="CreateReplicationGroup",
                                                     ReplicationGroupId=name,
                                                     NumCacheClusters=str(members))
            del arguments["SecurityGroupIds"]
            return arguments

        fill(self.region, [group(f"n{number}", MEMBERS) for number in range(NODES // MEMBERS)])
        counts = fill(self.region, [group(f"m{number}", 1) for number in range(MEMBERS + 1)])
        self.assertEqual(set(counts), {200, NODE_QUOTA})
        for action, parameters in self.of_node_quota().items():
            with self.subTest(action=action):
                self.provoke(action, NODE_QUOTA, parameters)
