"""Clients of an encrypted group that log in as a user, by the endpoint's name alone."""

import os
import unittest

from support import commands
from support.case import RegionTestCase
from support.groups import shard_of
from support.users import PASSWORD, UsersMixin

from . import programs

ANSWER = ["over TLS", "NOPERM"]


class SecureClients(UsersMixin, RegionTestCase):
    network_name = "secure"

    @classmethod
    def setUpClass(cls):
        if commands.run(["unshare", "--mount", "true"]).code != 0:
            raise unittest.SkipTest("mount namespaces are not permitted here")
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.make_user("secure-default", UserName="default", access="off -@all", passwords=())
        self.make_user("writer", access="on ~mine:* +@all")
        self.make_user_group("secure", ["secure-default", "writer"])
        group = self.make_group("secure", 2, EngineVersion="7.1", UserGroupIds=["secure"],
                                TransitEncryptionEnabled=True)
        self.endpoint = shard_of(group)["PrimaryEndpoint"]
        self.authority = os.path.join(self.region.directory, "ca.pem")
        with open(self.authority, "w", encoding="ascii") as file:
            file.write(self.region.hikae("ca", "--data", self.region.data).ok().out)

    def answers_of(self, *program, **environment):
        ended = self.region.hikae(
            "shell", "--data", self.region.data, "--", *program, self.endpoint["Address"],
            str(self.endpoint["Port"]), self.authority, "writer", "mine:1", stdin=PASSWORD + "\n",
            env=commands.bare_environment(HOME=self.region.directory, **environment))
        return ended.ok().out.splitlines()

    def test_ioredis_and_redis_py(self):
        self.assertEqual(self.answers_of("node", programs.path("ioredis_secure.js"),
                                         NODE_PATH=programs.node_modules()), ANSWER)
        self.assertEqual(self.answers_of(programs.python_with_redis(),
                                         programs.path("redis_py_secure.py")), ANSWER)
