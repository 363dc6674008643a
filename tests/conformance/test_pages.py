"""Pages of every listing: MaxRecords, Marker, and that nothing is told twice or left out.

There are no hosts, so whatever is created stays `creating`: lists of any length cost nothing.
"""

from botocore import xform_name

from conformance.test_documented import BUILT
from support.agent import agents_arguments
from support.case import RegionTestCase
from support.filling import fill
from support.users import PASSWORD

COUNT = 45  # of each: two full pages of 20, and one that is not
LISTINGS = {name: facts["page"] for name, facts in BUILT.items() if facts.get("page")}
NEEDS = {"DescribeCacheParameters": {"CacheParameterGroupName": "default.redis7"},
         "DescribeEngineDefaultParameters": {"CacheParameterGroupFamily": "redis7"}}
# Lists that are always short, or empty, here.
SHORT = {"DescribeCacheSecurityGroups", "DescribeReservedCacheNodes", "DescribeServiceUpdates",
         "DescribeUpdateActions", "DescribeSnapshots", "DescribeEvents"}


def items_of(answer, path):
    for name in path.split("."):
        answer = answer[name]
    return answer


def marker_of(answer, path):
    for name in path.split(".")[:-1]:
        answer = answer[name]
    return answer.get("Marker")


class Pages(RegionTestCase):
    network_name = "pages"

    @classmethod
    def setUpClass(cls):
        cls.serve_arguments = agents_arguments()[0]
        super().setUpClass()
        subnet = next(iter(cls.network.subnets.values()))
        cache = {"Engine": "redis", "CacheNodeType": "cache.t3.small",
                 "CacheSubnetGroupName": "pages"}
        cls.region.elasticache.create_user(UserId="one", UserName="default", Engine="redis",
                                           AccessString="on", Passwords=[PASSWORD])
        kinds = (
            {"Action": "CreateReplicationGroup", "ReplicationGroupId": "r{}",
             "ReplicationGroupDescription": "d", "NumCacheClusters": "1", **cache},
            {"Action": "CreateUser", "UserId": "u{}", "UserName": "u{}", "Engine": "redis",
             "AccessString": "on", "NoPasswordRequired": "true"},
            {"Action": "CreateUserGroup", "UserGroupId": "g{}", "Engine": "redis",
             "UserIds.member.1": "one"},
            {"Action": "CreateCacheParameterGroup", "CacheParameterGroupName": "p{}",
             "CacheParameterGroupFamily": "redis7", "Description": "d"},
            {"Action": "CreateCacheSubnetGroup", "CacheSubnetGroupName": "s{}",
             "CacheSubnetGroupDescription": "d", "SubnetIds.SubnetIdentifier.1": subnet})
        counts = fill(cls.region, [{name: value.format(number) for name, value in kind.items()}
                                   for kind in kinds for number in range(COUNT)])
        assert counts == {200: COUNT * len(kinds)}, counts

    def call(self, action, **parameters):
        return getattr(self.cache, xform_name(action))(**NEEDS.get(action, {}), **parameters)

    def test_bounds_of_every_listing(self):
        foreign = self.call("DescribeUsers", MaxRecords=20)["Marker"]
        other = self.call("DescribeUserGroups", MaxRecords=20)["Marker"]
        for action, path in LISTINGS.items():
            for good in (20, 100):
                with self.subTest(action, MaxRecords=good):
                    self.assertLessEqual(len(items_of(self.call(action, MaxRecords=good), path)),
                                         good)
            wrong = [{"MaxRecords": number} for number in (-1, 0, 19, 101, 2**31 - 1)]
            wrong += [{"Marker": text} for text in (
                "x", "====", "\u63a7\u3048", other if action == "DescribeUsers" else foreign)]
            for parameters in wrong:
                with self.subTest(action, **parameters):
                    self.refused("InvalidParameterValue", self.call, action, status=400,
                                 **parameters)

    def test_every_item_once(self):
        for action, path in LISTINGS.items():
            if action in SHORT:
                continue
            with self.subTest(action):
                whole, sizes, parameters = [], [], {"MaxRecords": 20}
                while True:
                    answer = self.call(action, **parameters)
                    page = items_of(answer, path)
                    sizes.append(len(page))
                    whole += page
                    parameters["Marker"] = marker_of(answer, path)
                    if parameters["Marker"] is None:
                        break
                self.assertEqual(sizes[:-1], [20] * (len(sizes) - 1))
                self.assertGreater(len(sizes), 1, "too short to prove anything")
                self.assertGreater(sizes[-1], 0)
                keys = [str(item) for item in whole]
                self.assertEqual(len(keys), len(set(keys)), "something was told twice")
                at_once = items_of(self.call(action), path)
                self.assertEqual(keys[:len(at_once)], [str(item) for item in at_once])

    def test_what_goes_between_two_pages_hides_nothing(self):
        """A marker is a place in the list, not a number: what goes before it moves nothing."""
        def names(page):
            return [user["UserId"] for user in page["Users"]]

        everyone = names(self.call("DescribeUsers"))
        first = self.call("DescribeUsers", MaxRecords=20)
        self.cache.delete_user(UserId="u0")
        self.cache.delete_user(UserId=names(first)[-1])  # the very one that the marker names
        second = self.call("DescribeUsers", MaxRecords=20, Marker=first["Marker"])
        self.assertIn("u0", names(first))
        self.assertEqual(names(second), everyone[20:40])
