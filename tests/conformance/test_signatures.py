"""Who may call: right, wrong, expired and foreign signatures of every kind."""

import datetime
import re

from support import signing
from support.case import RegionTestCase


class Signatures(RegionTestCase):
    CALL = {"Action": "DescribeReplicationGroups", "Version": "2015-02-02"}

    def post(self, parameters=None, keys=None, region=None, service="elasticache", moment=None,
             tamper=None, token=None):
        key, secret = keys or self.region.credentials()
        body = signing.encode_pairs(parameters or self.CALL)
        headers = signing.v4_headers(self.region.host, body, key, secret,
                                     region or self.region.name, service, moment, token)
        if tamper:
            body = tamper(body, headers)
        return signing.send(self.region.listen, "POST", "/", body, headers)

    def expect(self, reply, status, code, message=""):
        self.assertEqual(reply.status, status, reply)
        self.assertRegex(reply.text, r"^(<\?xml[^>]*>\s*)?<ErrorResponse xmlns=")
        self.assertIn(f"<Code>{code}</Code>", reply.text)
        self.assertIn(message, reply.text)
        self.assertRegex(reply.text, r"<RequestId>[0-9a-f-]{36}</RequestId>")

    def ago(self, minutes):
        return signing.now() - datetime.timedelta(minutes=minutes)

    def test_right_in_every_form(self):
        key, secret = self.region.credentials()
        self.assertEqual(self.post().status, 200)
        target = signing.v4_presigned(self.region.host, self.CALL, key, secret, self.region.name)
        self.assertEqual(signing.send(self.region.listen, "GET", target).status, 200)
        query = signing.v2_query("GET", self.region.host, self.CALL, key, secret)
        target = "/?" + signing.encode_pairs(query)
        self.assertEqual(signing.send(self.region.listen, "GET", target).status, 200)
        query = signing.v2_query("POST", self.region.host, self.CALL, key, secret)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        reply = signing.send(self.region.listen, "POST", "/", signing.encode_pairs(query), headers)
        self.assertEqual(reply.status, 200, reply)

    def test_test_credentials(self):
        self.assertEqual(self.post(keys=("test", "test")).status, 200)

    def test_unsigned(self):
        reply = signing.send(self.region.listen, "POST", "/", signing.encode_pairs(self.CALL),
                             {"content-type": "application/x-www-form-urlencoded"})
        self.expect(reply, 403, "MissingAuthenticationToken")
        reply = signing.send(self.region.listen, "GET", "/?" + signing.encode_pairs(self.CALL))
        self.expect(reply, 403, "MissingAuthenticationToken")

    def test_unsigned_with_the_cli(self):
        outcome = self.region.aws("--no-sign-request", "elasticache",
                                  "describe-replication-groups")
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("(MissingAuthenticationToken)", outcome.err)

    def test_wrong_secret(self):
        key, _ = self.region.credentials()
        self.expect(self.post(keys=(key, "x" * 40)), 403, "SignatureDoesNotMatch",
                    "The request signature we calculated does not match")
        query = signing.v2_query("GET", self.region.host, self.CALL, key, "x" * 40)
        reply = signing.send(self.region.listen, "GET", "/?" + signing.encode_pairs(query))
        self.expect(reply, 403, "SignatureDoesNotMatch")

    def test_unknown_key(self):
        self.expect(self.post(keys=("AKIAIOSFODNN7EXAMPLE", "x" * 40)), 403, "InvalidClientTokenId",
                    "The security token included in the request is invalid.")

    def test_changed_after_signing(self):
        def change(body, _headers):
            return body + "&MaxRecords=20"

        self.expect(self.post(tamper=change), 403, "SignatureDoesNotMatch")
        key, secret = self.region.credentials()
        target = signing.v4_presigned(self.region.host, self.CALL, key, secret, self.region.name)
        reply = signing.send(self.region.listen, "GET", target + "&MaxRecords=20")
        self.expect(reply, 403, "SignatureDoesNotMatch")

    def test_clock_tolerance(self):
        self.assertEqual(self.post(moment=self.ago(14)).status, 200)
        self.assertEqual(self.post(moment=self.ago(-14)).status, 200)
        expired = self.post(moment=self.ago(16))
        self.expect(expired, 403, "SignatureDoesNotMatch", "Signature expired: ")
        self.assertRegex(expired.text, r"Signature expired: \d{8}T\d{6}Z is now earlier than "
                                       r"\d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)")
        self.expect(self.post(moment=self.ago(-16)), 403, "SignatureDoesNotMatch",
                    "Signature not yet current: ")

    def test_presigned_lifetime(self):
        key, secret = self.region.credentials()
        for age, status in ((50, 200), (70, None)):
            moment = signing.now() - datetime.timedelta(seconds=age)
            target = signing.v4_presigned(self.region.host, self.CALL, key, secret,
                                          self.region.name, moment=moment, expires=60)
            reply = signing.send(self.region.listen, "GET", target)
            if status:
                self.assertEqual(reply.status, status, reply)
            else:
                self.assertIn(reply.status, (400, 403), reply)
                self.assertRegex(reply.text, "<Code>(RequestExpired|SignatureDoesNotMatch)</Code>")

    def test_version_2_expired(self):
        key, secret = self.region.credentials()
        query = signing.v2_query("GET", self.region.host, self.CALL, key, secret,
                                 moment=self.ago(20))
        reply = signing.send(self.region.listen, "GET", "/?" + signing.encode_pairs(query))
        self.assertIn(reply.status, (400, 403), reply)
        self.assertRegex(reply.text, "<Code>(RequestExpired|SignatureDoesNotMatch)</Code>")

    def test_foreign_region_and_service(self):
        self.expect(self.post(region="us-east-1"), 403, "SignatureDoesNotMatch", "us-east-1")
        self.assertEqual(self.post(service="iam").status, 403)

    def test_service_of_the_scope_decides(self):
        """An EC2 scope makes it an EC2 call, whose errors look different."""
        reply = self.post(service="ec2")
        self.assertEqual(reply.status, 400, reply)
        self.assertRegex(reply.text, r"<Response><Errors><Error><Code>InvalidAction</Code>")

    def test_broken_headers(self):
        def without_signature(body, headers):
            headers["authorization"] = re.sub(r", Signature=.*", "", headers["authorization"])
            return body

        def without_date(body, headers):
            del headers["x-amz-date"]
            return body

        def nonsense(body, headers):
            headers["authorization"] = "AWS4-HMAC-SHA256 nonsense"
            return body

        for tamper in (without_signature, without_date, nonsense):
            with self.subTest(tamper.__name__):
                self.expect(self.post(tamper=tamper), 400, "IncompleteSignature")

    def test_basic_authorization_is_no_signature(self):
        reply = signing.send(self.region.listen, "POST", "/", signing.encode_pairs(self.CALL),
                             {"authorization": "Basic dGVzdDp0ZXN0"})
        self.assertIn(reply.status, (400, 403), reply)
        self.assertRegex(reply.text,
                         "<Code>(IncompleteSignature|MissingAuthenticationToken)</Code>")
