"""The part of EC2 that caches need: VPCs, subnets, security groups, routes, gateways, tags."""

from support.case import RegionTestCase

EVERYWHERE = [{"CidrIp": "0.0.0.0/0"}]


def named(name, *values):
    return {"Name": name, "Values": list(values)}


class Ec2(RegionTestCase):
    def vpc(self, block="10.20.0.0/16", **more):
        vpc = self.ec2.create_vpc(CidrBlock=block, **more)["Vpc"]
        self.addCleanup(self.forget, self.ec2.delete_vpc, VpcId=vpc["VpcId"])
        return vpc

    def subnet(self, vpc, block, zone="ap-northeast-1a", **more):
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone,
                                        **more)["Subnet"]
        self.addCleanup(self.forget, self.ec2.delete_subnet, SubnetId=subnet["SubnetId"])
        return subnet

    def security_group(self, vpc, name="web"):
        group = self.ec2.create_security_group(GroupName=name, Description="of a test",
                                               VpcId=vpc)["GroupId"]
        self.addCleanup(self.forget, self.ec2.delete_security_group, GroupId=group)
        return group

    def forget(self, delete, **name):
        try:
            delete(**name)
        except self.ec2.exceptions.ClientError as error:
            if "NotFound" not in error.response["Error"]["Code"]:
                raise

    def group(self, group_id):
        return self.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]

    # The region

    def test_zones_and_regions(self):
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([(z["ZoneName"], z["State"], z["RegionName"]) for z in zones],
                         [(f"ap-northeast-1{letter}", "available", "ap-northeast-1")
                          for letter in "abc"])
        self.assertTrue(all(z["ZoneId"].startswith("apne1-az") for z in zones))
        one = self.ec2.describe_availability_zones(ZoneNames=["ap-northeast-1b"])
        self.assertEqual(len(one["AvailabilityZones"]), 1)
        self.refused("InvalidParameterValue", self.ec2.describe_availability_zones,
                     ZoneNames=["ap-northeast-1z"])
        regions = [r["RegionName"] for r in self.ec2.describe_regions()["Regions"]]
        self.assertIn("ap-northeast-1", regions)
        self.ec2.describe_account_attributes()

    def test_default_vpc(self):
        vpcs = self.ec2.describe_vpcs(Filters=[named("is-default", "true")])["Vpcs"]
        self.assertEqual(len(vpcs), 1)
        self.assertEqual((vpcs[0]["CidrBlock"], vpcs[0]["IsDefault"]), ("172.31.0.0/16", True))
        subnets = self.ec2.describe_subnets(Filters=[named("vpc-id", vpcs[0]["VpcId"])])["Subnets"]
        self.assertEqual(sorted(s["AvailabilityZone"] for s in subnets),
                         ["ap-northeast-1a", "ap-northeast-1b", "ap-northeast-1c"])
        self.assertTrue(all(s["DefaultForAz"] for s in subnets))
        self.refused("DefaultVpcAlreadyExists", self.ec2.create_default_vpc)

    # VPCs

    def test_vpc(self):
        vpc = self.vpc(TagSpecifications=[{"ResourceType": "vpc",
                                           "Tags": [{"Key": "Name", "Value": "n"}]}])
        self.assertEqual((vpc["CidrBlock"], vpc["IsDefault"]), ("10.20.0.0/16", False))
        self.assertIn(vpc["State"], ("pending", "available"))
        found = self.ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
        self.assertEqual((found["State"], found["Tags"]),
                         ("available", [{"Key": "Name", "Value": "n"}]))
        self.assertEqual(found["CidrBlockAssociationSet"][0]["CidrBlock"], "10.20.0.0/16")

        vpc_filter = [named("vpc-id", vpc["VpcId"])]
        groups = self.ec2.describe_security_groups(Filters=vpc_filter)["SecurityGroups"]
        self.assertEqual([g["GroupName"] for g in groups], ["default"])
        self.assertEqual(groups[0]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"],
                         groups[0]["GroupId"])
        self.assertEqual(groups[0]["IpPermissionsEgress"][0]["IpRanges"], EVERYWHERE)
        self.refused("CannotDelete", self.ec2.delete_security_group,
                     GroupId=groups[0]["GroupId"])
        tables = self.ec2.describe_route_tables(
            Filters=vpc_filter + [named("association.main", "true")])["RouteTables"]
        self.assertEqual(len(tables), 1)
        acls = self.ec2.describe_network_acls(
            Filters=vpc_filter + [named("default", "true")])["NetworkAcls"]
        self.assertEqual(len(acls), 1)

    def test_vpc_attributes(self):
        vpc = self.vpc()["VpcId"]

        def value(attribute, member):
            answer = self.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
            return answer[member]["Value"]

        self.assertTrue(value("enableDnsSupport", "EnableDnsSupport"))
        self.assertFalse(value("enableDnsHostnames", "EnableDnsHostnames"))
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        self.assertTrue(value("enableDnsHostnames", "EnableDnsHostnames"))
        self.assertFalse(value("enableNetworkAddressUsageMetrics",
                               "EnableNetworkAddressUsageMetrics"))

    def test_vpc_refusals(self):
        for block in ("10.0.0.0/8", "10.0.0.0/29", "nonsense", "300.0.0.0/16"):
            with self.subTest(block):
                with self.assertRaises(self.ec2.exceptions.ClientError) as caught:
                    self.vpc(block)
                self.assertIn(caught.exception.response["Error"]["Code"],
                              ("InvalidVpc.Range", "InvalidParameterValue"))
        unknown = "vpc-0123456789abcdef0"
        self.refused("InvalidVpcID.NotFound", self.ec2.describe_vpcs, VpcIds=[unknown],
                     message=f"The vpc ID '{unknown}' does not exist")
        self.refused("InvalidVpcID.NotFound", self.ec2.delete_vpc, VpcId=unknown)
        self.refused("InvalidVpcID.NotFound", self.ec2.create_subnet, VpcId=unknown,
                     CidrBlock="10.0.0.0/24")

    def test_dry_run(self):
        self.refused("DryRunOperation", self.ec2.create_vpc, CidrBlock="10.30.0.0/16",
                     DryRun=True, status=412)

    # Subnets

    def test_subnet(self):
        vpc = self.vpc()["VpcId"]
        subnet = self.subnet(vpc, "10.20.1.0/24", "ap-northeast-1c")
        self.assertRegex(subnet["SubnetId"], r"^subnet-[0-9a-f]{17}$")
        self.assertEqual((subnet["AvailableIpAddressCount"], subnet["AvailabilityZoneId"]),
                         (251, "apne1-az3"))
        self.subnet(vpc, "10.20.2.0/28")
        for filters, count in (([named("vpc-id", vpc)], 2),
                               ([named("vpc-id", vpc), named("availability-zone",
                                                             "ap-northeast-1c")], 1),
                               ([named("vpc-id", vpc), named("state", "pending")], 0),
                               ([named("subnet-id", subnet["SubnetId"])], 1)):
            found = self.ec2.describe_subnets(Filters=filters)["Subnets"]
            self.assertEqual(len(found), count, filters)
        self.ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"],
                                         MapPublicIpOnLaunch={"Value": True})
        found = self.ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]
        self.assertTrue(found["MapPublicIpOnLaunch"])

    def test_subnet_refusals(self):
        vpc = self.vpc()["VpcId"]
        self.subnet(vpc, "10.20.1.0/24")
        create = self.ec2.create_subnet
        self.refused("InvalidSubnet.Conflict", create, VpcId=vpc, CidrBlock="10.20.1.128/25")
        self.refused("InvalidSubnet.Range", create, VpcId=vpc, CidrBlock="10.21.1.0/24")
        self.refused("InvalidParameterValue", create, VpcId=vpc, CidrBlock="10.20.3.0/24",
                     AvailabilityZone="ap-northeast-1z")
        unknown = "subnet-0123456789abcdef0"
        self.refused("InvalidSubnetID.NotFound", self.ec2.delete_subnet, SubnetId=unknown)
        self.refused("InvalidSubnetID.NotFound", self.ec2.describe_subnets, SubnetIds=[unknown],
                     message=f"The subnet ID '{unknown}' does not exist")
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=vpc)

    # Security groups

    def test_security_group_rules(self):
        vpc = self.vpc()["VpcId"]
        group = self.security_group(vpc)
        permission = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379,
                      "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}]}
        answer = self.ec2.authorize_security_group_ingress(GroupId=group,
                                                           IpPermissions=[permission])
        self.assertTrue(answer["Return"])
        rule = answer["SecurityGroupRules"][0]
        self.assertRegex(rule["SecurityGroupRuleId"], r"^sgr-[0-9a-f]{17}$")
        self.assertEqual((rule["IsEgress"], rule["CidrIpv4"], rule["Description"]),
                         (False, "10.0.0.0/8", "inside"))
        self.assertEqual(self.group(group)["IpPermissions"],
                         [{**permission, "UserIdGroupPairs": [], "Ipv6Ranges": [],
                           "PrefixListIds": []}])
        self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress,
                     GroupId=group, IpPermissions=[permission],
                     message='the specified rule "peer: 10.0.0.0/8, TCP, from port: 6379, '
                             'to port: 6379, ALLOW" already exists')
        rules = self.ec2.describe_security_group_rules(
            Filters=[named("group-id", group)])["SecurityGroupRules"]
        self.assertEqual(len(rules), 2)  # and the default one for everything that goes out
        self.ec2.revoke_security_group_ingress(
            GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        self.assertEqual(self.group(group)["IpPermissions"], [])
        self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress,
                     GroupId=group, IpPermissions=[permission])

    def test_egress_as_terraform_does(self):
        group = self.security_group(self.vpc()["VpcId"])
        everything = [{"IpProtocol": "-1", "IpRanges": EVERYWHERE}]
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
        self.assertEqual(self.group(group)["IpPermissionsEgress"], [])
        self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_egress,
                     GroupId=group, IpPermissions=[{"IpProtocol": "-1",
                                                    "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=everything)
        self.assertEqual(self.group(group)["IpPermissionsEgress"][0]["IpProtocol"], "-1")

    def test_group_that_another_names(self):
        vpc = self.vpc()["VpcId"]
        clients, caches = self.security_group(vpc, "clients"), self.security_group(vpc, "caches")
        permission = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379,
                      "UserIdGroupPairs": [{"GroupId": clients}]}
        self.ec2.authorize_security_group_ingress(GroupId=caches, IpPermissions=[permission])
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=clients)
        self.ec2.delete_security_group(GroupId=caches)
        self.ec2.delete_security_group(GroupId=clients)

    def test_security_group_refusals(self):
        vpc = self.vpc()["VpcId"]
        self.security_group(vpc, "same")
        self.refused("InvalidGroup.Duplicate", self.ec2.create_security_group, GroupName="same",
                     Description="d", VpcId=vpc,
                     message=f"The security group 'same' already exists for VPC '{vpc}'")
        self.refused("InvalidVpcID.NotFound", self.ec2.create_security_group, GroupName="x",
                     Description="d", VpcId="vpc-0123456789abcdef0")
        unknown = "sg-0123456789abcdef0"
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups,
                     GroupIds=[unknown], message=f"The security group '{unknown}' does not exist")
        self.refused("InvalidGroup.NotFound", self.ec2.delete_security_group, GroupId=unknown)

    # Routes and gateways

    def test_internet_gateway(self):
        vpc = self.vpc()["VpcId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        found = self.ec2.describe_internet_gateways(
            Filters=[named("attachment.vpc-id", vpc)])["InternetGateways"]
        self.assertEqual([g["InternetGatewayId"] for g in found], [gateway])
        self.assertEqual(found[0]["Attachments"], [{"State": "available", "VpcId": vpc}])
        self.refused("DependencyViolation", self.ec2.delete_internet_gateway,
                     InternetGatewayId=gateway)
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=vpc)
        self.refused("Resource.AlreadyAssociated", self.ec2.attach_internet_gateway,
                     InternetGatewayId=gateway, VpcId=vpc)
        self.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.ec2.delete_internet_gateway(InternetGatewayId=gateway)
        self.refused("InvalidInternetGatewayID.NotFound", self.ec2.delete_internet_gateway,
                     InternetGatewayId=gateway)

    def test_route_table(self):
        vpc = self.vpc()["VpcId"]
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]
        self.assertEqual(table["Routes"][0]["DestinationCidrBlock"], "10.20.0.0/16")
        found = self.ec2.describe_route_tables(Filters=[named("vpc-id", vpc)])["RouteTables"]
        self.assertEqual(len(found), 2)
        self.ec2.delete_route_table(RouteTableId=table["RouteTableId"])

    # Tags, pages

    def test_tags(self):
        vpc = self.vpc()["VpcId"]
        group = self.security_group(vpc)
        self.ec2.create_tags(Resources=[vpc, group], Tags=[{"Key": "env", "Value": "test"},
                                                           {"Key": "old", "Value": "x"}])
        self.ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "old"}])
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"],
                         [{"Key": "env", "Value": "test"}])
        for filters in ([named("tag:env", "test"), named("vpc-id", vpc)],
                        [named("tag-key", "env"), named("vpc-id", vpc)],
                        [named("tag:env", "t*t"), named("vpc-id", vpc)]):
            self.assertEqual(len(self.ec2.describe_vpcs(Filters=filters)["Vpcs"]), 1, filters)
        self.assertEqual(self.ec2.describe_vpcs(Filters=[named("tag:env", "other")])["Vpcs"], [])
        tags = self.ec2.describe_tags(Filters=[named("resource-id", group)])["Tags"]
        self.assertEqual([(t["Key"], t["Value"], t["ResourceType"]) for t in tags],
                         [("env", "test", "security-group"), ("old", "x", "security-group")])

    def test_pages(self):
        vpc = self.vpc()["VpcId"]
        made = [self.subnet(vpc, f"10.20.{number}.0/24")["SubnetId"] for number in range(12)]
        pages = list(self.ec2.get_paginator("describe_subnets").paginate(
            Filters=[named("vpc-id", vpc)], PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["Subnets"]) for page in pages], [5, 5, 2])
        self.assertEqual(sorted(s["SubnetId"] for page in pages for s in page["Subnets"]),
                         sorted(made))
        self.assertNotIn("NextToken", pages[-1])
        self.refused("InvalidNextToken", self.ec2.describe_subnets, NextToken="x", MaxResults=5)

    def test_unknown_filter(self):
        self.refused("InvalidParameterValue", self.ec2.describe_subnets,
                     Filters=[named("colour", "red")])

    def test_unknown_action(self):
        reply = self.region.query({"Action": "RunInstances"}, service="ec2", version="2016-11-15")
        self.assertEqual(reply.status, 400, reply)
        self.assertRegex(reply.text, "<Response><Errors><Error><Code>(InvalidAction|"
                                     "UnsupportedOperation)</Code>")
        self.assertIn("RunInstances", reply.text)
