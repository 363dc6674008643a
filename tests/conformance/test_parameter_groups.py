"""Cache parameter groups and the parameters of every family."""

from support.case import RegionTestCase

FAMILIES = ("redis2.6", "redis2.8", "redis3.2", "redis4.0", "redis5.0", "redis6.x", "redis7",
            "valkey7", "valkey8", "memcached1.4", "memcached1.5", "memcached1.6")


class ParameterGroups(RegionTestCase):
    def make(self, name="pg", family="redis2.8"):
        group = self.cache.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily=family,
            Description="of a test")["CacheParameterGroup"]
        self.addCleanup(self.drop, name)
        return group

    def drop(self, name):
        try:
            self.cache.delete_cache_parameter_group(CacheParameterGroupName=name)
        except self.cache.exceptions.CacheParameterGroupNotFoundFault:
            pass

    def parameters(self, name, **more):
        pages = self.cache.get_paginator("describe_cache_parameters").paginate(
            CacheParameterGroupName=name, **more)
        return {parameter["ParameterName"]: parameter for page in pages
                for parameter in page["Parameters"]}

    def modify(self, name, **values):
        return self.cache.modify_cache_parameter_group(
            CacheParameterGroupName=name,
            ParameterNameValues=[{"ParameterName": key.replace("_", "-"), "ParameterValue": value}
                                 for key, value in values.items()])

    def test_create_describe_delete(self):
        group = self.make("My-Group")
        self.assertEqual(group["CacheParameterGroupName"], "my-group")
        self.assertEqual((group["CacheParameterGroupFamily"], group["Description"],
                          group["IsGlobal"]), ("redis2.8", "of a test", False))
        self.assertTrue(group["ARN"].endswith(":parametergroup:my-group"))
        found = self.cache.describe_cache_parameter_groups(CacheParameterGroupName="MY-group")
        self.assertEqual(found["CacheParameterGroups"], [group])
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="my-group")
        self.refused("CacheParameterGroupNotFound", self.cache.describe_cache_parameter_groups,
                     CacheParameterGroupName="my-group", status=404,
                     message="CacheParameterGroup my-group not found.")
        self.refused("CacheParameterGroupNotFound", self.cache.delete_cache_parameter_group,
                     CacheParameterGroupName="my-group", status=404)

    def test_default_groups(self):
        pages = self.cache.get_paginator("describe_cache_parameter_groups").paginate(
            PaginationConfig={"PageSize": 20})
        groups = {group["CacheParameterGroupName"]: group for page in pages
                  for group in page["CacheParameterGroups"]}
        for family in FAMILIES:
            self.assertIn(f"default.{family}", groups)
        for name in ("default.redis3.2.cluster.on", "default.redis7.cluster.on",
                     "default.valkey8.cluster.on"):
            self.assertIn(name, groups)
        self.assertEqual(groups["default.redis5.0"]["Description"],
                         "Default parameter group for redis5.0")
        self.assertEqual(groups["default.redis5.0.cluster.on"]["Description"],
                         "Customized default parameter group for redis5.0 with cluster mode on")

    def test_refusals(self):
        self.make("taken")
        create = self.cache.create_cache_parameter_group
        self.refused("CacheParameterGroupAlreadyExists", create, CacheParameterGroupName="taken",
                     CacheParameterGroupFamily="redis2.8", Description="d",
                     message="Parameter group taken already exists")
        self.refused("InvalidParameterValue", create, CacheParameterGroupName="x",
                     CacheParameterGroupFamily="redis99", Description="d",
                     message="is not a valid parameter group family")
        for name in ("9x", "x--y", "x-", "default.mine"):
            with self.subTest(name):
                self.refused("InvalidParameterValue", create, CacheParameterGroupName=name,
                             CacheParameterGroupFamily="redis2.8", Description="d")
        self.refused("InvalidParameterValue", self.cache.delete_cache_parameter_group,
                     CacheParameterGroupName="default.redis2.8")
        self.refused("InvalidParameterValue", self.modify, "default.redis2.8",
                     maxmemory_policy="allkeys-lru")
        self.refused("CacheParameterGroupNotFound", self.modify, "absent", timeout="1", status=404)

    def test_parameters_of_every_family(self):
        for family in FAMILIES:
            with self.subTest(family):
                of_group = self.parameters(f"default.{family}")
                pages = self.cache.get_paginator("describe_engine_default_parameters").paginate(
                    CacheParameterGroupFamily=family)
                of_family = {p["ParameterName"]: p for page in pages
                             for p in page["EngineDefaults"]["Parameters"]}
                self.assertEqual(set(of_group), set(of_family))
                self.assertGreater(len(of_group), 20)
                names = [name.replace("-", "") for name in of_group]
                self.assertEqual(names, sorted(names))
                for parameter in of_group.values():
                    self.assertEqual(parameter["Source"], "system")
                    self.assertIn(parameter["ChangeType"], ("immediate", "requires-reboot"))
        answer = self.cache.describe_cache_parameters(CacheParameterGroupName="default.redis2.8")
        specific = {p["ParameterName"]: p for p in answer["CacheNodeTypeSpecificParameters"]}
        self.assertIn("maxmemory", specific)
        values = {value["CacheNodeType"]: value["Value"]
                  for value in specific["maxmemory"]["CacheNodeTypeSpecificValues"]}
        self.assertEqual(values["cache.m3.medium"], "2988441600")

    def test_counts_of_the_tables(self):
        for family, count in (("redis2.6", 28), ("redis2.8", 35), ("redis5.0", 57),
                              ("redis7", 63), ("memcached1.4", 30)):
            self.assertEqual(len(self.parameters(f"default.{family}")), count, family)

    def test_modify_and_sources(self):
        self.make("changed")
        answer = self.modify("changed", maxmemory_policy="allkeys-lru", timeout="30")
        self.assertEqual(answer["CacheParameterGroupName"], "changed")
        self.assertEqual(self.parameters("changed", Source="user").keys(),
                         {"maxmemory-policy", "timeout"})
        changed = self.parameters("changed")["maxmemory-policy"]
        self.assertEqual((changed["ParameterValue"], changed["Source"]), ("allkeys-lru", "user"))
        rest = self.parameters("changed", Source="system")
        self.assertNotIn("timeout", rest)
        self.assertEqual(len(rest) + 2, len(self.parameters("changed")))
        self.refused("InvalidParameterValue", self.cache.describe_cache_parameters,
                     CacheParameterGroupName="changed", Source="moon")

    def test_modify_refusals(self):
        self.make("strict")
        self.refused("InvalidParameterValue", self.modify, "strict", maxmemory_policy="largest")
        self.refused("InvalidParameterValue", self.modify, "strict", timeout="-5")
        self.refused("InvalidParameterValue", self.modify, "strict", timeout="soon")
        self.refused("InvalidParameterValue", self.modify, "strict", no_such="1",
                     message="Parameter no-such doesn't exist")
        unmodifiable = next(p["ParameterName"] for p in self.parameters("strict").values()
                            if not p["IsModifiable"])
        self.refused("InvalidParameterValue", self.cache.modify_cache_parameter_group,
                     CacheParameterGroupName="strict", ParameterNameValues=[
                         {"ParameterName": unmodifiable, "ParameterValue": "1"}])
        too_many = [{"ParameterName": "timeout", "ParameterValue": "1"}] * 21
        self.refused("InvalidParameterValue", self.cache.modify_cache_parameter_group,
                     CacheParameterGroupName="strict", ParameterNameValues=too_many)
        self.assertEqual(self.parameters("strict", Source="user"), {})

    def test_all_or_nothing(self):
        self.make("atomic")
        self.refused("InvalidParameterValue", self.cache.modify_cache_parameter_group,
                     CacheParameterGroupName="atomic", ParameterNameValues=[
                         {"ParameterName": "timeout", "ParameterValue": "7"},
                         {"ParameterName": "timeout2", "ParameterValue": "7"}])
        self.assertEqual(self.parameters("atomic", Source="user"), {})

    def test_reset(self):
        self.make("reset")
        self.modify("reset", maxmemory_policy="allkeys-lru", timeout="30")
        self.cache.reset_cache_parameter_group(
            CacheParameterGroupName="reset",
            ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "whatever"}])
        self.assertEqual(self.parameters("reset", Source="user").keys(), {"maxmemory-policy"})
        self.cache.reset_cache_parameter_group(CacheParameterGroupName="reset",
                                               ResetAllParameters=True)
        self.assertEqual(self.parameters("reset", Source="user"), {})
        self.assertEqual(self.parameters("reset")["timeout"]["ParameterValue"], "0")
        self.refused("CacheParameterGroupNotFound", self.cache.reset_cache_parameter_group,
                     CacheParameterGroupName="absent", ResetAllParameters=True, status=404)

    def test_pages_of_parameters(self):
        pages = list(self.cache.get_paginator("describe_cache_parameters").paginate(
            CacheParameterGroupName="default.redis7", PaginationConfig={"PageSize": 20}))
        self.assertEqual([len(page["Parameters"]) for page in pages], [20, 20, 20, 3])
        names = [p["ParameterName"] for page in pages for p in page["Parameters"]]
        self.assertEqual(names, list(self.parameters("default.redis7")))
        pages = list(self.cache.get_paginator("describe_engine_default_parameters").paginate(
            CacheParameterGroupFamily="redis7", PaginationConfig={"PageSize": 50}))
        self.assertEqual([len(page["EngineDefaults"]["Parameters"]) for page in pages], [50, 13])
        self.refused("InvalidParameterValue", self.cache.describe_cache_parameters,
                     CacheParameterGroupName="default.redis7", Marker="nonsense")
        self.refused("InvalidParameterValue", self.cache.describe_engine_default_parameters,
                     CacheParameterGroupFamily="redis99")
