"""Cache subnet groups."""

from support.case import RegionTestCase
from support.network import Network


class SubnetGroups(RegionTestCase):
    network_name = "sub"

    def make(self, name="made", **more):
        arguments = {"CacheSubnetGroupName": name, "CacheSubnetGroupDescription": "d",
                     "SubnetIds": list(self.network.subnets.values())}
        arguments.update(more)
        answer = self.cache.create_cache_subnet_group(**arguments)["CacheSubnetGroup"]
        self.addCleanup(self.drop, name)
        return answer

    def drop(self, name):
        try:
            self.cache.delete_cache_subnet_group(CacheSubnetGroupName=name)
        except self.cache.exceptions.CacheSubnetGroupNotFoundFault:
            pass

    def names(self):
        groups = self.cache.describe_cache_subnet_groups()["CacheSubnetGroups"]
        return [group["CacheSubnetGroupName"] for group in groups]

    def test_create_and_describe(self):
        made = self.make("Mixed-Case", CacheSubnetGroupDescription="of a test")
        self.assertEqual(made["CacheSubnetGroupName"], "mixed-case")
        self.assertEqual(made["VpcId"], self.network.vpc)
        self.assertTrue(made["ARN"].endswith(":subnetgroup:mixed-case"))
        self.assertEqual({s["SubnetIdentifier"]: s["SubnetAvailabilityZone"]["Name"]
                          for s in made["Subnets"]},
                         {subnet: zone for zone, subnet in self.network.subnets.items()})
        found = self.cache.describe_cache_subnet_groups(CacheSubnetGroupName="MIXED-case")
        self.assertEqual(found["CacheSubnetGroups"], [made])
        self.assertIn("mixed-case", self.names())

    def test_create_refusals(self):
        self.make("twice")
        create = self.cache.create_cache_subnet_group
        good = {"CacheSubnetGroupDescription": "d",
                "SubnetIds": list(self.network.subnets.values())}
        self.refused("CacheSubnetGroupAlreadyExists", create, CacheSubnetGroupName="twice", **good,
                     message="Cache subnet group twice already exists.")
        self.refused("InvalidParameterValue", create, CacheSubnetGroupName="x",
                     CacheSubnetGroupDescription="d", SubnetIds=["subnet-0123456789abcdef0"],
                     message="Some input subnets in :[subnet-0123456789abcdef0] are invalid.")
        self.refused("InvalidParameterValue", create, CacheSubnetGroupName="x",
                     CacheSubnetGroupDescription="d", SubnetIds=[])
        for name in ("1abc", "a--b", "ab-", "a b", "default"):
            with self.subTest(name):
                self.refused("InvalidParameterValue", create, CacheSubnetGroupName=name, **good)
        other = Network(self.region, "other")
        self.addCleanup(other.delete)
        self.refused("InvalidSubnet", create, CacheSubnetGroupName="x",
                     CacheSubnetGroupDescription="d",
                     SubnetIds=[good["SubnetIds"][0], *other.subnets.values()],
                     message="are not in the same VPC.")

    def test_too_many_subnets(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnets = []
        for number in range(21):
            subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24")["Subnet"]
            subnets.append(subnet["SubnetId"])
        self.refused("CacheSubnetQuotaExceededFault", self.cache.create_cache_subnet_group,
                     CacheSubnetGroupName="many", CacheSubnetGroupDescription="d",
                     SubnetIds=subnets)
        for subnet in subnets:
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=vpc)

    def test_modify(self):
        self.make("changing")
        first, second = self.network.subnets.values()
        changed = self.cache.modify_cache_subnet_group(
            CacheSubnetGroupName="changing", CacheSubnetGroupDescription="new",
            SubnetIds=[second])["CacheSubnetGroup"]
        self.assertEqual(changed["CacheSubnetGroupDescription"], "new")
        self.assertEqual([s["SubnetIdentifier"] for s in changed["Subnets"]], [second])
        self.cache.modify_cache_subnet_group(CacheSubnetGroupName="changing", SubnetIds=[first])
        found = self.cache.describe_cache_subnet_groups(CacheSubnetGroupName="changing")
        self.assertEqual(found["CacheSubnetGroups"][0]["CacheSubnetGroupDescription"], "new")
        self.refused("CacheSubnetGroupNotFoundFault", self.cache.modify_cache_subnet_group,
                     CacheSubnetGroupName="absent", CacheSubnetGroupDescription="x", status=400)

    def test_a_subnet_with_nodes_stays(self):
        cluster = self.make_cluster("in-subnet")
        zone = cluster["CacheNodes"][0]["CustomerAvailabilityZone"]
        others = [subnet for name, subnet in self.network.subnets.items() if name != zone]
        self.refused("SubnetInUse", self.cache.modify_cache_subnet_group,
                     CacheSubnetGroupName="sub", SubnetIds=others)

    def test_delete(self):
        self.make("short")
        self.cache.delete_cache_subnet_group(CacheSubnetGroupName="Short")
        self.assertNotIn("short", self.names())
        for call in (self.cache.delete_cache_subnet_group, self.cache.describe_cache_subnet_groups):
            self.refused("CacheSubnetGroupNotFoundFault", call, CacheSubnetGroupName="short",
                         status=400)

    def test_pages(self):
        names = [f"page-{number:02}" for number in range(45)]
        for name in names:
            self.make(name)
        pages = list(self.cache.get_paginator("describe_cache_subnet_groups").paginate(
            PaginationConfig={"PageSize": 20}))
        self.assertEqual(len(pages), 3)
        found = [group["CacheSubnetGroupName"] for page in pages
                 for group in page["CacheSubnetGroups"]]
        self.assertEqual([name for name in found if name.startswith("page-")], names)
        self.assertEqual(len(found), len(set(found)))
        self.assertNotIn("Marker", pages[-1])
        self.refused("InvalidParameterValue", self.cache.describe_cache_subnet_groups,
                     Marker="nonsense")
        for wrong in (19, 101, 0, -1):
            self.refused("InvalidParameterValue", self.cache.describe_cache_subnet_groups,
                         MaxRecords=wrong)
