"""The commands of the program: help, exit codes, output that other programs read."""

import json
import os
import re
import socket
import tempfile
import unittest

from support import commands
from support.region import Region, binary, free_port

SUBCOMMANDS = ("serve", "env", "shell", "down", "doctor", "version")


def hikae(*arguments, **options):
    options.setdefault("env", commands.bare_environment())
    return commands.run([binary(), *arguments], **options)


class WithoutARegion(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="hikae-cli-")
        self.addCleanup(directory.cleanup)
        self.data = os.path.join(directory.name, "data")
        self.cwd = directory.name

    def test_version(self):
        outcome = hikae("version").ok()
        self.assertRegex(outcome.out, r"^hikae \d+\.\d+\.\d+")
        self.assertRegex(hikae("--version").ok().out, r"\d+\.\d+\.\d+")

    def test_help(self):
        text = hikae("--help").ok().out
        for command in SUBCOMMANDS:
            self.assertRegex(text, rf"(?m)^\s+{command}\b")
            own = hikae(command, "--help").ok().out
            self.assertIn("Usage:", own)
            self.assertIn(command, own)
        for option in ("--data", "--listen", "--dns-listen", "--region", "--zones", "--domain",
                       "--config", "--allow-test-credentials"):
            self.assertIn(option, hikae("serve", "--help").out)

    def test_wrong_use(self):
        for arguments in ((), ("nonsense",), ("serve", "--nonsense"), ("env", "--data")):
            with self.subTest(arguments):
                outcome = hikae(*arguments, cwd=self.cwd)
                self.assertNotEqual(outcome.code, 0)
                self.assertTrue(outcome.err.strip() or outcome.out.strip())

    def test_wrong_values(self):
        for option, value in (("--listen", "here"), ("--region", "nowhere"), ("--zones", "a,a"),
                              ("--domain", "not a domain"), ("--config", "/absent.toml")):
            with self.subTest(option):
                outcome = hikae("serve", "--data", self.data, option, value)
                self.assertNotEqual(outcome.code, 0)
                self.assertTrue(outcome.err.strip(), "no reason on stderr")

    def test_no_region_there(self):
        for command in (("env",), ("shell", "--", "true")):
            outcome = hikae(command[0], "--data", self.data, *command[1:])
            self.assertNotEqual(outcome.code, 0, command)
            self.assertIn(self.data, outcome.err)

    def test_doctor(self):
        outcome = hikae("doctor", "--data", self.data)
        if outcome.code not in (0, 1):
            outcome = hikae("doctor")
        self.assertIn(outcome.code, (0, 1), outcome)
        text = outcome.out.lower()
        for subject in ("redis", "valkey", "6379", "dns", "namespace", "disk"):
            self.assertIn(subject, text)

    def test_doctor_names_who_holds_the_port(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("0.0.0.0", 6379))
            except OSError:
                self.skipTest("port 6379 is taken already")
            other.listen()
            outcome = hikae("doctor")
        self.assertEqual(outcome.code, 1, outcome)
        line = next(line for line in outcome.out.splitlines() if "6379" in line)
        self.assertIn(str(os.getpid()), outcome.out, line)

    def test_completion(self):
        for shell in ("bash",):
            outcome = hikae("completion", shell).ok()
            checked = commands.run(["bash", "-n"], stdin=outcome.out)
            self.assertEqual((checked.code, checked.err), (0, ""))
            script = outcome.out + ('\nCOMP_WORDS=(hikae se); COMP_CWORD=1; COMP_LINE="hikae se"; '
                                    'COMP_POINT=8; $(complete -p hikae | sed -E '
                                    '"s/.*-F ([^ ]+).*/\\1/") hikae se hikae; '
                                    'printf "%s\\n" "${COMPREPLY[@]}"\n')
            completed = commands.run(["bash", "--norc"], stdin=script).ok()
            self.assertIn("serve", completed.out.split())


class WithARegion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.region = Region("--zones", "a,b")
        cls.addClassCleanup(cls.region.dispose)
        cls.region.start()

    @classmethod
    def tearDownClass(cls):
        cls.region.stop()

    def test_env_is_for_a_shell(self):
        script = (f'eval "$({binary()} env --data {self.region.data})"; '
                  'printf "%s|%s|%s|%s" "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" '
                  '"$AWS_SECRET_ACCESS_KEY" "$AWS_DEFAULT_REGION"')
        for shell in ("sh", "bash"):
            outcome = commands.run([shell, "-c", script], env=commands.bare_environment()).ok()
            url, key, secret, region = outcome.out.split("|")
            self.assertEqual((url, region), (self.region.endpoint_url, "ap-northeast-1"))
            self.assertRegex(key, r"^[A-Z0-9]{16,}$")
            self.assertEqual(len(secret), 40)

    def test_env_lines(self):
        for line in hikae("env", "--data", self.region.data).ok().lines():
            self.assertRegex(line, r"^(export [A-Z_]+=\S*|#.*)$")

    def test_credentials_are_private_and_in_the_format_of_aws(self):
        path = os.path.join(self.region.data, "credentials")
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        env = commands.bare_environment(AWS_SHARED_CREDENTIALS_FILE=path,
                                        AWS_DEFAULT_REGION="ap-northeast-1")
        identity = self.region.aws("sts", "get-caller-identity", env=env)
        self.assertIn("Account", identity.json())

    def test_zones(self):
        zones = self.region.ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([zone["ZoneName"] for zone in zones],
                         ["ap-northeast-1a", "ap-northeast-1b"])

    def test_second_server_is_refused(self):
        outcome = hikae("serve", "--data", self.region.data, "--listen",
                        f"127.0.0.1:{free_port()}", "--dns-listen", f"127.0.0.1:{free_port()}")
        self.assertNotEqual(outcome.code, 0)
        self.assertIn(self.region.data, outcome.err)
        self.assertIn(str(self.region.server.pid), outcome.err)
        self.assertTrue(self.region.answers())

    def test_taken_port_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            outcome = hikae("serve", "--data", os.path.join(directory, "data"), "--listen",
                            self.region.host, "--dns-listen", f"127.0.0.1:{free_port()}")
            self.assertNotEqual(outcome.code, 0)
            self.assertIn(self.region.host, outcome.err)

    def test_doctor_of_a_running_region(self):
        outcome = hikae("doctor", "--data", self.region.data)
        self.assertIn(outcome.code, (0, 1), outcome)

    def test_facts_file(self):
        with open(os.path.join(self.region.data, "serve.json"), encoding="utf-8") as file:
            self.assertIn(str(self.region.listen[1]), json.dumps(json.load(file)))


class Settings(unittest.TestCase):
    """Another region, domain and zones, from a file."""

    def test_configuration_file(self):
        region = Region("--domain", "Cache.Example.Test", region="us-west-2")
        self.addCleanup(region.dispose)
        region.start()
        region.ec2.describe_availability_zones()
        region.elasticache.create_cache_cluster(
            CacheClusterId="west", Engine="redis", CacheNodeType="cache.t2.micro",
            NumCacheNodes=1, Port=6410)
        address = region.wait_cluster("west")["CacheNodes"][0]["Endpoint"]["Address"]
        self.assertTrue(re.fullmatch(r"west\.[a-z0-9]{6}\.0001\.usw2\.cache\.example\.test",
                                     address), address)
        self.assertTrue(region.resolve(address).startswith("127."))
        region.remove_everything()
        region.stop()


if __name__ == "__main__":
    unittest.main()
