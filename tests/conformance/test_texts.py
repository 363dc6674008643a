"""Names of every allowed form, texts of any script: they come back as they were, or are refused."""

from support.agent import agents_arguments
from support.case import RegionTestCase
from support.users import PASSWORD

# Names and longest forms: AWS's rules for identifiers; kept in lower case, found in any.
LONGEST = {"group": 40, "cluster": 50, "parameter group": 255, "subnet group": 255, "user": 40,
           "user group": 40}
WRONG_NAMES = ("1st", "-a", "a-", "a--b", "a_b", "a.b", "a b", "\u00e4", "\u63a7\u3048",
               "a/b", "a:b", "a%", "*")
TEXTS = ("plain", " blanks  around ", "a+b %25 &amp; <tag/> ]]> 'q' \"Q\"", "tab\tand\nline",
         "carriage\rreturn", "\u00fcn\u00ef", "\u63a7\u3048\u308b", "\U0001f9e8 four bytes",
         "e\u0301 combined", "\u202eright to left", "\u00a0\u2028\u200b", "\x7f\x85", "\ufffd",
         "{}[]$%s\\n", "../../etc/passwd", "'; DROP TABLE state; --", "x" * 1000)
CANNOT_COME_BACK = ("\x01", "bell\x07", "\x1b[31mred", "\x0b", "\ufffe", "\uffff")
TAG_TEXTS = ("a", "team", "a b", "_.:/=+-@", "\u540d\u524d", "gr\u00fc\u00dfe", "0")
WRONG_TAG_TEXTS = ("<b>", "a\tb", "a\nb", "\x01", "a&b", "'", "a*", "[]")


class Texts(RegionTestCase):
    """Without hosts: what is created stays `creating`, and needs no engine."""

    network_name = "texts"

    @classmethod
    def setUpClass(cls):
        cls.serve_arguments = agents_arguments()[0]
        super().setUpClass()
        cls.region.elasticache.create_user(UserId="one", UserName="default", Engine="redis",
                                           AccessString="on", Passwords=[PASSWORD])

    # {kind: a function that makes one of this name, and returns the name that the answer tells}

    def makers(self):
        def group(name, description="d"):
            return self.cache.create_replication_group(**self.network.group_arguments(
                ReplicationGroupId=name, ReplicationGroupDescription=description,
                NumCacheClusters=1))["ReplicationGroup"]["ReplicationGroupId"]

        def cluster(name):
            return self.cache.create_cache_cluster(**self.network.cluster_arguments(
                CacheClusterId=name))["CacheCluster"]["CacheClusterId"]

        def parameter_group(name, description="d"):
            return self.cache.create_cache_parameter_group(
                CacheParameterGroupName=name, CacheParameterGroupFamily="redis7",
                Description=description)["CacheParameterGroup"]["CacheParameterGroupName"]

        def subnet_group(name, description="d"):
            return self.cache.create_cache_subnet_group(
                CacheSubnetGroupName=name, CacheSubnetGroupDescription=description,
                SubnetIds=list(self.network.subnets.values()))[
                    "CacheSubnetGroup"]["CacheSubnetGroupName"]

        def user(name):
            return self.cache.create_user(UserId=name, UserName="somebody", Engine="redis",
                                          AccessString="on", Passwords=[PASSWORD])["UserId"]

        def user_group(name):
            return self.cache.create_user_group(UserGroupId=name, Engine="redis",
                                                UserIds=["one"])["UserGroupId"]

        return {"group": group, "cluster": cluster, "parameter group": parameter_group,
                "subnet group": subnet_group, "user": user, "user group": user_group}

    def described(self, kind, name):
        """(name, description) as Describe tells them."""
        if kind == "group":
            found = self.region.group(name)
            return found["ReplicationGroupId"], found["Description"]
        if kind == "cluster":
            return self.region.cluster(name)["CacheClusterId"], None
        if kind == "parameter group":
            found = self.cache.describe_cache_parameter_groups(
                CacheParameterGroupName=name)["CacheParameterGroups"][0]
            return found["CacheParameterGroupName"], found["Description"]
        if kind == "subnet group":
            found = self.cache.describe_cache_subnet_groups(
                CacheSubnetGroupName=name)["CacheSubnetGroups"][0]
            return found["CacheSubnetGroupName"], found["CacheSubnetGroupDescription"]
        if kind == "user":
            return self.cache.describe_users(UserId=name)["Users"][0]["UserId"], None
        return self.cache.describe_user_groups(UserGroupId=name)["UserGroups"][0][
            "UserGroupId"], None

    def test_names_of_every_allowed_form(self):
        for kind, make in self.makers().items():
            longest = LONGEST[kind]
            forms = ("q", "Z9", "MiXeD-Case-7", "a-b-c-d", "n0-1-2", "a" * longest,
                     "L" + "-9" * ((longest - 1) // 2))
            for name in forms:
                with self.subTest(kind, name=name):
                    self.assertEqual(make(name), name.lower())
                    for spelling in (name, name.lower(), name.upper()):
                        self.assertEqual(self.described(kind, spelling)[0], name.lower())

    def test_names_of_every_other_form(self):
        for kind, make in self.makers().items():
            for name in (*WRONG_NAMES, "a" * (LONGEST[kind] + 1)):
                with self.subTest(kind, name=name):
                    self.refused("InvalidParameterValue", make, name, status=400)

    def test_descriptions(self):
        for kind, make in self.makers().items():
            if kind not in ("group", "parameter group", "subnet group"):
                continue
            for number, text in enumerate(TEXTS):
                with self.subTest(kind, text=text):
                    make(f"text{number}", text)
                    self.assertEqual(self.described(kind, f"text{number}")[1], text)
            for text in CANNOT_COME_BACK:
                with self.subTest(kind, text=text):
                    self.refused("InvalidParameterValue", make, "control", text, status=400)

    def test_a_changed_description(self):
        self.makers()["subnet group"]("changed")
        for text in TEXTS:
            with self.subTest(text=text):
                self.cache.modify_cache_subnet_group(CacheSubnetGroupName="changed",
                                                     CacheSubnetGroupDescription=text)
                self.assertEqual(self.described("subnet group", "changed")[1], text)
        for code, text in (("InvalidParameterValue", "\x02"), ("MalformedQueryString", "a\0b")):
            self.refused(code, self.cache.modify_cache_subnet_group,
                         CacheSubnetGroupName="changed", CacheSubnetGroupDescription=text)
        self.assertEqual(self.described("subnet group", "changed")[1], TEXTS[-1])

    def test_tags(self):
        group = self.cache.create_cache_parameter_group(
            CacheParameterGroupName="tagged", CacheParameterGroupFamily="redis7", Description="d",
            Tags=[{"Key": text, "Value": text} for text in TAG_TEXTS])["CacheParameterGroup"]
        longest = {"k" * 128: "v" * 256, "\u63a7" * 128: "\u3048" * 256, "none": ""}
        self.cache.add_tags_to_resource(
            ResourceName=group["ARN"],
            Tags=[{"Key": key, "Value": value} for key, value in longest.items()])
        told = self.cache.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]
        self.assertEqual({tag["Key"]: tag["Value"] for tag in told},
                         {**{text: text for text in TAG_TEXTS}, **longest})
        wrong = [{"Key": text, "Value": "v"} for text in (*WRONG_TAG_TEXTS, "\u63a7" * 129)]
        wrong += [{"Key": "k", "Value": text} for text in (*WRONG_TAG_TEXTS, "\u63a7" * 257)]
        for tag in wrong:
            with self.subTest(tag=tag):
                self.refused("InvalidParameterValue", self.cache.add_tags_to_resource,
                             ResourceName=group["ARN"], Tags=[tag])

    def test_a_restart_keeps_every_text(self):
        texts = {f"kept{number}": text for number, text in enumerate(TEXTS)}
        for name, text in texts.items():
            self.makers()["parameter group"](name, text)
        self.region.kill()
        self.region.start()
        self.assertEqual({name: self.described("parameter group", name)[1] for name in texts},
                         texts)
