"""Errors that the service model documents for a built action and that cannot occur here, with why.

test_documented demands that every other pair of action and error is provoked for real, so a new
action, or a new error of one, has to be decided on.
"""

ALL = None  # of an error: the reason holds for every action that documents it

NO_CLASSIC = ("There is no EC2-Classic: cache security groups are refused as such, with "
              "InvalidParameterValue, as AWS does for accounts that never had it.")
NOTHING_EXCLUDES = "No parameter of the action excludes another one."
ONLY_NAMES = "The action has nothing but names; one of any form that does not exist is not found."
NO_NEW_NODES = "The action makes no nodes."
NODES_ARE_COUNTED = ("The quota of clusters is told in nodes: NodeQuotaForCustomerExceeded, or the "
                     "limit of replicas.")
WAITS_FOR_ROOM = ("A node without room is not refused: it waits until a host has some, an event "
                  "and `hikae host list` say what it needs.")
NOT_SHARDED = "Sharded groups are not built; there is one node group."
NO_GLOBAL = "Global datastores are not built."
NO_SERVERLESS = "Serverless caches are not built, so none has a state."
SUBNETS_STAY = "The subnets of a cache that exists cannot be deleted, so its network stays valid."

# {error: {actions or ALL: reason}}
CANNOT_OCCUR = {
    "AuthorizationAlreadyExists": {ALL: NO_CLASSIC},
    "AuthorizationNotFound": {ALL: NO_CLASSIC},
    "CacheSecurityGroupAlreadyExists": {ALL: NO_CLASSIC},
    "CacheSecurityGroupNotFound": {
        ("AuthorizeCacheSecurityGroupIngress", "RevokeCacheSecurityGroupIngress",
         "DeleteCacheSecurityGroup", "CreateCacheCluster", "CreateReplicationGroup",
         "ModifyCacheCluster", "ModifyReplicationGroup"): NO_CLASSIC},
    "ClusterQuotaForCustomerExceeded": {ALL: NODES_ARE_COUNTED},
    "DuplicateUserName": {
        ("CreateUser",): "Users may share a name, as the default users do; a group takes one."},
    "GlobalReplicationGroupNotFoundFault": {ALL: NO_GLOBAL},
    "InsufficientCacheClusterCapacity": {ALL: WAITS_FOR_ROOM},
    "InvalidCacheParameterGroupState": {
        ("CreateCacheParameterGroup",): "A group that does not exist has no state."},
    "InvalidCacheSecurityGroupState": {ALL: NO_CLASSIC},
    "InvalidGlobalReplicationGroupState": {ALL: NO_GLOBAL},
    "InvalidKMSKeyFault": {ALL: "Keys of KMS are refused as parameters when a group is made."},
    "InvalidParameterCombination": {
        ("AuthorizeCacheSecurityGroupIngress", "CreateCacheSecurityGroup",
         "DeleteCacheSecurityGroup", "RevokeCacheSecurityGroupIngress"): NO_CLASSIC,
        ("CreateCacheParameterGroup", "DeleteCacheParameterGroup", "DeleteSnapshot",
         "DescribeCacheClusters", "DescribeCacheParameterGroups", "DescribeCacheParameters",
         "DescribeCacheSecurityGroups", "DescribeEngineDefaultParameters",
         "DescribeReplicationGroups", "DescribeReservedCacheNodes",
         "DescribeReservedCacheNodesOfferings", "DescribeServiceUpdates", "DescribeSnapshots",
         "DescribeUpdateActions", "DescribeUserGroups", "DescribeUsers",
         "ModifyCacheParameterGroup", "PurchaseReservedCacheNodesOffering",
         "TestFailover"): NOTHING_EXCLUDES},
    "InvalidParameterValue": {
        ("DeleteSnapshot", "DeleteUserGroup", "ListAllowedNodeTypeModifications"): ONLY_NAMES},
    "InvalidReplicationGroupState": {
        ("ListTagsForResource",): "Tags are part of the state and can be read at any time."},
    "InvalidServerlessCacheSnapshotStateFault": {ALL: NO_SERVERLESS},
    "InvalidServerlessCacheStateFault": {ALL: NO_SERVERLESS},
    "InvalidVPCNetworkStateFault": {
        ("DecreaseReplicaCount", "IncreaseReplicaCount", "ModifyCacheCluster",
         "ModifyReplicationGroup"): SUBNETS_STAY},
    "NodeGroupsPerReplicationGroupQuotaExceeded": {ALL: NOT_SHARDED},
    "NodeQuotaForClusterExceeded": {
        ("CreateReplicationGroup",): "More than five replicas are an InvalidParameterValue.",
        ("ModifyCacheCluster",): "Redis and Valkey have one node, anything else is an "
                                 "InvalidParameterValue; memcached is not built.",
        ("ModifyReplicationGroup",): NO_NEW_NODES},
    "NodeQuotaForCustomerExceeded": {
        ("DecreaseReplicaCount", "ModifyCacheCluster", "ModifyReplicationGroup"): NO_NEW_NODES},
    "QuotaExceeded.CacheSecurityGroup": {ALL: NO_CLASSIC},
    "ReservedCacheNodeAlreadyExists": {ALL: "None can be bought, so there is none."},
    "ServiceLinkedRoleNotFoundFault": {ALL: "There are no roles that the service would need."},
    "SubnetNotAllowedFault": {ALL: "There are no Outposts whose subnets could be mixed in."},
    "TagQuotaPerResourceExceeded": {("CreateCacheSecurityGroup",): NO_CLASSIC},
    "TestFailoverNotAvailableFault": {ALL: "It is always available."},
}


def reason_of(action, error):
    """Why the action never answers this error; None when it has to."""
    for actions, reason in CANNOT_OCCUR.get(error, {}).items():
        if actions is ALL or action in actions:
            return reason
    return None
