"""STS GetCallerIdentity, which Terraform and every SDK ask first."""

from support.case import RegionTestCase


class Identity(RegionTestCase):
    def test_boto3(self):
        identity = self.region.sts.get_caller_identity()
        self.assertRegex(identity["Account"], r"^\d{12}$")
        self.assertTrue(identity["Arn"].startswith(f"arn:aws:iam::{identity['Account']}:"))
        self.assertTrue(identity["UserId"])

    def test_cli(self):
        answer = self.region.aws("sts", "get-caller-identity").json()
        self.assertEqual(set(answer), {"UserId", "Account", "Arn"})

    def test_signed_for_another_region(self):
        """STS has one global endpoint: old clients sign for us-east-1 wherever they are."""
        client = self.region.client("sts", region_name="us-east-1")
        self.assertEqual(client.get_caller_identity()["Account"],
                         self.region.sts.get_caller_identity()["Account"])

    def test_account_stands_in_arns(self):
        account = self.region.sts.get_caller_identity()["Account"]
        group = self.cache.create_cache_parameter_group(
            CacheParameterGroupName="arn", CacheParameterGroupFamily="redis7",
            Description="d")["CacheParameterGroup"]
        if "ARN" in group:
            self.assertEqual(group["ARN"],
                             f"arn:aws:elasticache:ap-northeast-1:{account}:parametergroup:arn")
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="arn")

    def test_unknown_action(self):
        reply = self.region.query({"Action": "AssumeNothing"}, service="sts", version="2011-06-15")
        self.assertEqual(reply.status, 400)
        self.assertIn("<Code>InvalidAction</Code>", reply.text)
