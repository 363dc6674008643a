"""Reserved nodes, and what is left of EC2-Classic: lists, and AWS's refusals."""

from support.case import RegionTestCase

YEAR = 31536000
NOT_PERMITTED = ("Use of cache security groups is not permitted in this API version for your "
                 "account.")


class ReservedNodes(RegionTestCase):
    def offerings(self, **filters):
        pages = self.cache.get_paginator("describe_reserved_cache_nodes_offerings").paginate(
            **filters)
        return [one for page in pages for one in page["ReservedCacheNodesOfferings"]]

    def test_offerings_cost_nothing_and_page(self):
        every = self.offerings()
        ids = [one["ReservedCacheNodesOfferingId"] for one in every]
        self.assertGreater(len(ids), 100)
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(every, self.offerings(PaginationConfig={"PageSize": 20}))
        self.assertEqual({(one["FixedPrice"], one["UsagePrice"], len(one["RecurringCharges"]))
                          for one in every}, {(0.0, 0.0, 0)})
        self.assertEqual({one["Duration"] for one in every}, {YEAR, 3 * YEAR})

    def test_filters(self):
        for filters in ({"Duration": "3"}, {"Duration": str(3 * YEAR)}):
            self.assertEqual({one["Duration"] for one in self.offerings(**filters)}, {3 * YEAR})
        some = self.offerings(CacheNodeType="cache.t3.micro", ProductDescription="redis",
                              OfferingType="No Upfront", Duration="1")
        self.assertEqual([(one["CacheNodeType"], one["ProductDescription"]) for one in some],
                         [("cache.t3.micro", "redis")])
        name = some[0]["ReservedCacheNodesOfferingId"]
        self.assertEqual(self.offerings(ReservedCacheNodesOfferingId=name), some)
        self.assertEqual(self.offerings(CacheNodeType="cache.none"), [])
        self.assertEqual(self.offerings(ReservedCacheNodesOfferingId=name, Duration="3"), [])

    def test_refusals(self):
        describe = self.cache.describe_reserved_cache_nodes_offerings
        self.refused("ReservedCacheNodesOfferingNotFound", describe,
                     ReservedCacheNodesOfferingId="none")
        self.refused("InvalidParameterValue", describe, Duration="2")
        self.refused("InvalidParameterValue", describe, MaxRecords=19)
        self.assertEqual(self.cache.describe_reserved_cache_nodes()["ReservedCacheNodes"], [])
        self.refused("ReservedCacheNodeNotFound", self.cache.describe_reserved_cache_nodes,
                     ReservedCacheNodeId="mine")
        purchase = self.cache.purchase_reserved_cache_nodes_offering
        self.refused("ReservedCacheNodesOfferingNotFound", purchase,
                     ReservedCacheNodesOfferingId="none")
        known = self.offerings()[0]["ReservedCacheNodesOfferingId"]
        self.refused("ReservedCacheNodeQuotaExceeded", purchase,
                     ReservedCacheNodesOfferingId=known)


class CacheSecurityGroups(RegionTestCase):
    def test_only_the_default_one_is_there(self):
        groups = self.cache.describe_cache_security_groups()["CacheSecurityGroups"]
        self.assertEqual([(group["CacheSecurityGroupName"], group["EC2SecurityGroups"])
                          for group in groups], [("default", [])])
        self.assertTrue(groups[0]["ARN"].endswith(":securitygroup:default"))
        self.assertEqual(self.cache.describe_cache_security_groups(
            CacheSecurityGroupName="default")["CacheSecurityGroups"], groups)
        self.refused("CacheSecurityGroupNotFound", self.cache.describe_cache_security_groups,
                     CacheSecurityGroupName="mine")

    def test_they_belong_to_ec2_classic(self):
        name = {"CacheSecurityGroupName": "mine"}
        ingress = {**name, "EC2SecurityGroupName": "web", "EC2SecurityGroupOwnerId": "1" * 12}
        for call, arguments in (
                (self.cache.create_cache_security_group, {**name, "Description": "d"}),
                (self.cache.delete_cache_security_group, name),
                (self.cache.authorize_cache_security_group_ingress, ingress),
                (self.cache.revoke_cache_security_group_ingress, ingress)):
            self.refused("InvalidParameterValue", call, **arguments, message=NOT_PERMITTED)
