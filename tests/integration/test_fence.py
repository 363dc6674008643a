"""Our module in real engines: writes are refused when the lease is over, by nobody's doing."""

import os
import signal
import threading
import time
import unittest

from support.engine_modules import module, programs
from support.fence import FencedEngine
from support.waiting import eventually

REFUSED = "READONLY This primary has no lease and takes no writes now."


class Fence(unittest.TestCase):
    """Every test runs with every engine that is installed."""

    @classmethod
    def setUpClass(cls):
        if not programs():
            raise unittest.SkipTest("no engine is installed")
        assert os.path.exists(module("fence")), f"{module('fence')} is built with hikae"

    def engines(self, count=1, *arguments):
        """One after the other; each alone, or `count` of one kind together."""
        for program in programs():
            started = []
            for _ in range(count):
                started.append(FencedEngine(program, *arguments))
                self.addCleanup(started[-1].dispose)
            yield started[0] if count == 1 else started

    def test_writes_end_with_the_lease_and_reads_go_on(self):
        for engine in self.engines():
            self.assertEqual(engine.ask("set k 1", "get k"), ["OK", "1"])
            self.assertEqual(engine.info()["hikae_epoch"], "0")
            engine.lease(300)
            until = time.monotonic() + 0.3
            taken = 0.0
            with engine.session() as session:
                while True:
                    asked = time.monotonic()
                    answer = session.ask_all(["set k 2"])[0]
                    if str(answer) != "OK":
                        break
                    taken = asked
                self.assertEqual(str(answer), REFUSED)
                self.assertLess(taken, until, "it took a write after the end of its lease")
                self.assertGreater(taken, until - 0.1, "it refused long before the end")
                self.assertEqual([str(a) for a in session.ask_all(
                    ["get k", "exists k", "ping", "config get save", "object encoding k"])][0],
                    "2")
            self.assertEqual(engine.info()["hikae_open"], "0")
            engine.lease(10_000)
            self.assertEqual(engine.ask("set k 3", "get k"), ["OK", "3"])
            engine.lease(-1)
            engine.no_lease_needed()
            self.assertEqual(engine.ask("set k 4"), ["OK"])

    def test_all_kinds_of_writes_are_refused(self):
        for engine in self.engines():
            engine.ask("set k 1", "rpush list a b", "hset hash f v", "xadd stream * f v")
            engine.lease(-1)
            for write in ("set k 2", "SET k 2", "del k", "incr k", "append k x", "rpush list c",
                          "lpop list", "blpop list 0", "hset hash f w", "expire k 100", "flushall",
                          "flushdb", "xadd stream * f w", "xgroup create stream g $",
                          "sort list alpha store other", "setex k 10 v", "rename k l",
                          "restore l 0 x", "copy k l", "move k 1", "getdel k", "unlink k",
                          "script_that_nobody_knows k"):
                answer = engine.ask(write)[0]
                self.assertEqual(answer, REFUSED, write)
            for read in ("get k", "lrange list 0 -1", "hgetall hash", "xrange stream - +", "ttl k",
                         "dbsize", "scan 0", "xinfo stream stream", "info", "multi"):
                self.assertFalse(engine.ask(read)[0].startswith("READONLY"), read)
            self.assertEqual(engine.ask("get k", "llen list"), ["1", "2"])

    def test_scripts_may_read_and_not_write(self):
        for engine in self.engines():
            engine.ask("set k 1")
            engine.lease(-1)
            self.assertEqual(engine.ask("eval \"return redis.call('get','k')\" 0"), ["1"])
            refused = engine.ask("eval \"return redis.call('set','k','2')\" 0")[0]
            self.assertIn("READONLY", refused)
            self.assertEqual(engine.ask("get k"), ["1"])

    def test_functions_may_not_write(self):
        for engine in self.engines():
            library = ("\"#!lua name=l\\nredis.register_function('w', function(k, a) "
                       "return redis.call('set', 'k', '2') end)\"")
            if engine.ask(f"function load {library}")[0] != "l":
                continue  # no functions before Redis 7
            engine.ask("set k 1")
            engine.lease(-1)
            self.assertIn("READONLY", engine.ask("fcall w 0")[0])
            self.assertEqual(engine.ask("function delete l"), [REFUSED])
            self.assertEqual(engine.ask("get k"), ["1"])

    def test_a_transaction_does_not_run_after_the_end(self):
        for engine in self.engines():
            engine.ask("set k 1")
            engine.lease(10_000)
            with engine.session() as session:
                self.assertEqual(session.ask_all(["multi", "set k 2", "incr k"]),
                                 ["OK", "QUEUED", "QUEUED"])
                engine.lease(-1)
                self.assertIn("EXECABORT", str(session.ask_all(["exec"])[0]))
                self.assertEqual(session.ask_all(["get k"]), ["1"])
                session.ask_all(["multi", "set k 3"])
                self.assertIn("EXECABORT", str(session.ask_all(["exec"])[0]))
                self.assertEqual(session.ask_all(["get k"]), ["1"])
            engine.lease(10_000)
            self.assertEqual(engine.ask("multi", "set k 4", "exec", "get k"),
                             ["OK", "QUEUED", "['OK']", "4"])

    def test_a_long_command_costs_no_write(self):
        """The lease is renewed while the engine hears nobody."""
        for engine in self.engines(1, "--enable-debug-command", "yes"):
            end = threading.Event()

            def renew():
                while not end.wait(0.02):
                    engine.lease(300)

            renewer = threading.Thread(target=renew, daemon=True)
            engine.lease(300)
            renewer.start()
            self.assertEqual(engine.ask("debug sleep 1", "set k 1"), ["OK", "OK"])
            end.set()
            renewer.join()

    def test_an_engine_that_was_stopped_meanwhile_takes_nothing(self):
        for engine in self.engines():
            with engine.session() as session:
                engine.lease(200)
                os.kill(engine.process.pid, signal.SIGSTOP)
                session.send(["set k 1"])
                ended = time.monotonic() + 0.25
                eventually(lambda: time.monotonic() > ended, "the lease is over")
                os.kill(engine.process.pid, signal.SIGCONT)
                self.assertEqual(str(session.receive()), REFUSED)

    def test_a_replica_takes_its_primarys_writes(self):
        for primary, replica in self.engines(2):
            replica.lease(-1)
            replica.agent(f"replicaof {primary.address} {primary.port}")
            primary.ask("set k 1")
            eventually(lambda: replica.ask("get k") == ["1"], "the write arrives", 10)
            self.assertIn("READONLY", replica.ask("set k 2")[0])

    def test_clients_need_no_permission_to_be_refused(self):
        for engine in self.engines():
            engine.agent("acl setuser writer on nopass ~* +set +get")
            engine.lease(-1)
            self.assertEqual(engine.ask("auth writer x", "set k 1"), ["OK", REFUSED])

    def test_a_promise_keeps_a_replica_from_leading(self):
        for primary, replica in self.engines(2):
            replica.agent(f"replicaof {primary.address} {primary.port}")
            eventually(lambda: "state=online" in primary.agent("info replication")[0],
                       "the replica follows", 10)
            self.assertEqual(primary.agent("hikae.promise 7 0 10.9.9.9"), ["OK"])
            self.assertEqual(primary.agent("hikae.promise 7 0 127.0.0.1", "wait 1 1000"),
                             ["OK", "1"])
            self.assertEqual(replica.info()["hikae_counted_epoch"], "7")
            self.assertEqual(replica.info()["hikae_promised_ms"], "0")
            self.assertEqual(primary.agent("hikae.promise 8 600 127.0.0.1", "wait 1 1000"),
                             ["OK", "1"])
            self.assertEqual(replica.info()["hikae_counted_epoch"], "8")
            promised = time.monotonic()
            self.assertIn("PROMISED", replica.agent("REPLICAOF no One")[0])
            self.assertIn("PROMISED", replica.agent("slaveof no one")[0])
            eventually(lambda: replica.agent("replicaof no one") == ["OK"], "it may lead", 10)
            self.assertGreater(time.monotonic() - promised, 0.5)
            self.assertEqual(replica.ask("set k 2"), ["OK"])

    def test_a_promise_is_in_no_append_only_file(self):
        """Which an engine without the module reads, too."""
        for primary, replica in self.engines(2, "--appendonly", "yes", "--appendfsync", "always"):
            replica.agent(f"replicaof {primary.address} {primary.port}")
            eventually(lambda: "state=online" in primary.agent("info replication")[0],
                       "the replica follows", 10)
            primary.lease(10_000)
            self.assertEqual(primary.ask("set before 1"), ["OK"])
            self.assertEqual(primary.agent("hikae.promise 8 600 127.0.0.1", "wait 1 1000"),
                             ["OK", "1"])
            self.assertEqual(replica.info()["hikae_counted_epoch"], "8")
            self.assertEqual(primary.ask("set after 2", "wait 1 1000"), ["OK", "1"])
            for engine in (primary, replica):
                eventually(lambda e=engine: b"after" in e.append_only(), "it is on the disk", 10)
                self.assertNotIn(b"hikae", engine.append_only().lower())
            primary.restart(with_module=False)
            self.assertEqual(primary.ask("get before", "get after"), ["1", "2"])
            primary.restart(with_module=True)  # what it reads there is no client's write
            self.assertEqual(primary.ask("get before", "get after"), ["1", "2"])

    def test_only_the_agent_makes_replicas_promise(self):
        for primary, replica in self.engines(2):
            replica.agent(f"replicaof {primary.address} {primary.port}")
            eventually(lambda: "state=online" in primary.agent("info replication")[0],
                       "the replica follows", 10)
            self.assertIn("NOPERM", primary.ask("hikae.promise 9 5000 127.0.0.1")[0])
            self.assertIn("NOPERM", primary.ask(
                "eval \"return redis.call('hikae.promise','9','5000','127.0.0.1')\" 0")[0])
            replica.agent("hikae.promise 9 5000 127.0.0.1")
            primary.agent("ping", "wait 1 1000")
            self.assertEqual(replica.info()["hikae_counted_epoch"], "0")
            for wrong in ("hikae.promise", "hikae.promise 1", "hikae.promise 0 5 127.0.0.1",
                          "hikae.promise 1 -5 127.0.0.1", "hikae.promise 1 60001 127.0.0.1"):
                self.assertIn("ERR", primary.agent(wrong)[0], wrong)
