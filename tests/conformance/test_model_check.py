"""The comparison with the model must itself be able to fail."""

import unittest

import boto3

from support.model_check import ModelCheck

HEADERS = {"content-type": "text/xml", "x-amzn-requestid": "00000000-0000-4000-8000-000000000000"}
ID = HEADERS["x-amzn-requestid"]


def groups(inside):
    return ('<DescribeCacheSubnetGroupsResponse xmlns="http://elasticache.amazonaws.com/doc/'
            '2015-02-02/"><DescribeCacheSubnetGroupsResult><CacheSubnetGroups>' + inside
            + '</CacheSubnetGroups></DescribeCacheSubnetGroupsResult><ResponseMetadata><RequestId>'
            + ID + '</RequestId></ResponseMetadata></DescribeCacheSubnetGroupsResponse>')


class Checker(unittest.TestCase):
    def setUp(self):
        client = boto3.session.Session().client("elasticache", region_name="ap-northeast-1",
                                                aws_access_key_id="x", aws_secret_access_key="x")
        self.model = client.meta.service_model
        self.check = ModelCheck()

    def problems(self, body, action="DescribeCacheSubnetGroups", status=200, headers=None):
        self.check.check(self.model.operation_model(action), status, headers or HEADERS,
                         body.encode())
        return self.check.take_problems()

    def test_good(self):
        self.assertEqual(self.problems(groups("<CacheSubnetGroup><CacheSubnetGroupName>a"
                                              "</CacheSubnetGroupName><VpcId>v</VpcId>"
                                              "</CacheSubnetGroup>")), [])

    def test_wrong(self):
        for body, reason in (
                ("<CacheSubnetGroup><Colour/></CacheSubnetGroup>", "unknown member"),
                ("<CacheSubnetGroup><VpcId/><CacheSubnetGroupName/></CacheSubnetGroup>", "order"),
                ("<CacheSubnetGroup><VpcId/><VpcId/></CacheSubnetGroup>", "twice"),
                ("<member><VpcId/></member>", "list element member"),
                ("<CacheSubnetGroup><VpcId><a/></VpcId></CacheSubnetGroup>", "scalar")):
            with self.subTest(reason):
                self.assertIn(reason, self.problems(groups(body))[0])
        self.assertIn("envelope", self.problems(groups("").replace("Result>", "Reply>"))[0])
        self.assertIn("namespace", self.problems(groups("").replace("2015-02", "2016-02"))[0])
        self.assertIn("content-type", self.problems(groups(""), headers={
            **HEADERS, "content-type": "text/html"})[0])
        self.assertIn("not XML", self.problems("{}")[0])

    def test_wrong_scalars(self):
        body = ('<DescribeCacheClustersResponse xmlns="http://elasticache.amazonaws.com/doc/'
                '2015-02-02/"><DescribeCacheClustersResult><CacheClusters><CacheCluster>{}'
                '</CacheCluster></CacheClusters></DescribeCacheClustersResult><ResponseMetadata>'
                f'<RequestId>{ID}</RequestId></ResponseMetadata></DescribeCacheClustersResponse>')
        for inside, good in (("<NumCacheNodes>1</NumCacheNodes>", True),
                             ("<NumCacheNodes>one</NumCacheNodes>", False),
                             ("<AuthTokenEnabled>False</AuthTokenEnabled>", False),
                             ("<CacheClusterCreateTime>2015-02-02T01:02:03.004Z"
                              "</CacheClusterCreateTime>", True),
                             ("<CacheClusterCreateTime>2015-02-02 01:02</CacheClusterCreateTime>",
                              False)):
            with self.subTest(inside):
                found = self.problems(body.format(inside), "DescribeCacheClusters")
                self.assertEqual(not found, good, found)

    def test_errors(self):
        body = ('<ErrorResponse xmlns="x"><Error><Type>Sender</Type><Code>{}</Code>'
                f'<Message>m</Message></Error><RequestId>{ID}</RequestId></ErrorResponse>')
        action = "DescribeCacheClusters"
        self.assertEqual(self.problems(body.format("CacheClusterNotFound"), action, 404), [])
        self.assertTrue(self.problems(body.format("CacheClusterNotFound"), action, 400))
        self.assertTrue(self.problems(body.format("SnapshotNotFoundFault"), action, 404))
        self.assertTrue(self.problems(body.replace("Sender", "Receiver").format(
            "InvalidParameterValue"), action, 400))
