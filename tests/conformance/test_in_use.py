"""What is in use cannot be deleted; what is gone has let go of everything."""

from support.case import RegionTestCase
from support.network import Network


class InUse(RegionTestCase):
    def test_refusals_while_in_use(self):
        self.network = Network(self.region, "used")
        self.cache.create_cache_parameter_group(CacheParameterGroupName="used",
                                                CacheParameterGroupFamily="redis2.8",
                                                Description="d")
        self.make_group("user", 2, CacheParameterGroupName="used")
        self.refused("CacheSubnetGroupInUse", self.cache.delete_cache_subnet_group, status=400,
                     CacheSubnetGroupName="used")
        self.refused("InvalidCacheParameterGroupState", self.cache.delete_cache_parameter_group,
                     CacheParameterGroupName="used", message="the group cannot be deleted.")
        self.refused("DependencyViolation", self.ec2.delete_security_group,
                     GroupId=self.network.security_group)
        for subnet in self.network.subnets.values():
            self.refused("DependencyViolation", self.ec2.delete_subnet, SubnetId=subnet)
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=self.network.vpc,
                     message=f"The vpc '{self.network.vpc}' has dependencies")

        interfaces = self.ec2.describe_network_interfaces(
            Filters=[{"Name": "vpc-id", "Values": [self.network.vpc]}])["NetworkInterfaces"]
        self.assertEqual(len(interfaces), 2)
        for interface in interfaces:
            self.assertIn(interface["SubnetId"], self.network.subnets.values())
            self.assertEqual([g["GroupId"] for g in interface["Groups"]],
                             [self.network.security_group])

        self.cache.delete_replication_group(ReplicationGroupId="user")
        self.region.wait_group_gone("user")
        # At once, without a retry: Terraform deletes these within a tenth of a second.
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="used")
        self.network.delete()
        self.assertEqual(self.region.nodes(), {})
        self.assertEqual(self.region.node_directories(), [])
        self.refused("InvalidVpcID.NotFound", self.ec2.describe_vpcs, VpcIds=[self.network.vpc])

    def test_a_subnet_group_keeps_its_subnets(self):
        network = Network(self.region, "keeper")
        zone, subnet = next(iter(network.subnets.items()))
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=network.vpc)
        self.assertIn(zone, ("ap-northeast-1b", "ap-northeast-1c"))
        self.assertTrue(subnet.startswith("subnet-"))
        network.delete()

    def test_a_cluster_gone_has_let_go(self):
        self.network = Network(self.region, "lone")
        self.make_cluster("lone")
        self.refused("CacheSubnetGroupInUse", self.cache.delete_cache_subnet_group,
                     CacheSubnetGroupName="lone")
        self.cache.delete_cache_cluster(CacheClusterId="lone")
        self.region.wait_cluster_gone("lone")
        self.network.delete()

    def test_names_can_be_used_again_at_once(self):
        self.network = Network(self.region, "again")
        for _ in range(3):
            self.make_group("phoenix", 2)
            self.drop_group("phoenix")
        self.network.delete()

    def test_two_vpcs_with_the_same_blocks(self):
        """The same ports and private addresses twice: the loopback addresses differ."""
        self.network = Network(self.region, "one")
        other = Network(self.region, "two")
        self.make_group("in-one", 1)
        first, self.network = self.network, other
        self.make_group("in-two", 1)
        addresses = [self.region.resolve(self.region.cluster(name)["CacheNodes"][0]["Endpoint"]
                                         ["Address"]) for name in ("in-one-001", "in-two-001")]
        self.assertNotEqual(addresses[0].split(".")[1], addresses[1].split(".")[1])
        self.drop_group("in-one")
        self.drop_group("in-two")
        first.delete()
        other.delete()
