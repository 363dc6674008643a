"""A region of several machines, each a network namespace: three with a member of etcd and (two of
them) a server, six hosts in three zones with an agent each, and real engines."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time

from botocore.exceptions import BotoCoreError, ClientError

from . import dnswire, signing
from .account import Account, Fault, events_of
from .agent import hosts
from .etcd import Etcd
from .groups import members_of, primary_of, shard_of
from .inline import InlineSession
from .netns import LocalClient, ZoneAgent, Zones
from .network import Network
from .region import Region, free_port
from .waiting import eventually
from .writer import Writer

SERVERS = ("s1", "s2")
ETCDS = ("s1", "s2", "s3")
HOSTS = ("a1", "a2", "b1", "b2", "c1", "c2")
GROUP = "g"
WITHOUT_MODULE = ("--fence-module", "none")  # of agents
TAKE_OVER = 20


class MachineServer(Region):
    """`hikae serve` on a machine of its own."""

    def __init__(self, zones, machine, etcd, *arguments):
        address = zones.address(machine)
        self.agents_port = free_port()
        super().__init__("--store", etcd.url, "--agents-listen",
                         f"{address}:{self.agents_port}", *arguments)
        self.machine = machine
        self.prefix = zones.zones[machine].prefix
        self.listen = (address, self.listen[1])
        self.dns = (address, self.dns[1])
        self._started_at = 0

    def serve_command(self):
        return [word for word in super().serve_command() if word != "--allow-test-credentials"]

    def answers(self):
        """Whether a signed call is answered, now, with the credentials that it made."""
        if not os.path.exists(os.path.join(self.data, "credentials")):
            return False
        body = "Action=GetCallerIdentity&Version=2011-06-15"
        try:
            headers = signing.v4_headers(self.host, body, *self.credentials(), self.name, "sts")
            return signing.send(self.listen, "POST", "/", body, headers, timeout=2).status == 200
        except (OSError, AssertionError):
            return False

    def join(self, other):
        os.makedirs(self.data, exist_ok=True)
        for name in ("secret", "credentials"):
            shutil.copy(os.path.join(other.data, name), os.path.join(self.data, name))
        return self

    def start(self, wait=True, stderr=None):
        path = os.path.join(self.directory, "serve.log")
        self._started_at = os.path.getsize(path) if os.path.exists(path) else 0
        return super().start(wait, stderr)

    def runs(self):
        return self.server is not None and self.server.poll() is None

    def leads(self):
        log = self.log_tail(100_000, self._started_at)
        return self.runs() and (log.rfind("this server leads now") > log.rfind("leads no more"))


class ConfirmedClient(LocalClient):
    """Counts a write only when a replica has confirmed it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.confirmed = []  # (when, key, value)

    def _write(self, session, number):
        super()._write(session, number)
        if self.answers[-1][3] == "OK" and session.ask("wait 1 400") >= 1:
            self.confirmed.append((time.monotonic(), f"{self.name}:{number}", str(number)))

    def count_since(self, at):
        return sum(when > at for when, _, _ in list(self.confirmed))


def _session(address, port):
    return InlineSession(address, port, 2)


class Machines:
    """start() makes all of it and a group of three; heal() undoes every fault there is."""

    def __init__(self, *serve_arguments, agent_arguments=()):
        self.agent_arguments = agent_arguments
        self._stack = contextlib.ExitStack()
        try:
            self._make(serve_arguments)
        except BaseException:
            self.dispose()
            raise

    def _make(self, serve_arguments):
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.zones = Zones((*HOSTS, *ETCDS))
        self._stack.callback(self.zones.dispose)
        self.etcd = Etcd(self.directory, len(ETCDS), [self.zones.address(m) for m in ETCDS],
                         [self.zones.zones[m].prefix for m in ETCDS])
        self._stack.callback(self.etcd.dispose)
        self.servers = {}
        for machine in SERVERS:
            server = MachineServer(self.zones, machine, self.etcd, *serve_arguments)
            self._stack.callback(server.dispose)
            self.servers[machine] = server
        self.agents = {}
        self.away = set()  # machines that are cut off or without power
        self._undo = []  # how to end what was begun
        self._undo_first = []  # and of that what other ends wait for
        self.faults = []
        self.clients = {}
        self.writer = None
        self.witness = None
        self._runs = 0
        self.wall = time.time() - time.monotonic()

    def dispose(self):
        self.end_clients()
        self._stack.close()

    def log_tail(self, lines):
        """Of both servers; what a failed test shows."""
        return "\n".join(f"--- {machine}\n{server.log_tail(lines)}"
                         for machine, server in self.servers.items())

    # Start

    def start(self):
        self.etcd.start()
        first, second = (self.servers[machine] for machine in SERVERS)
        first.start()
        eventually(first.leads, "the first server leads", TAKE_OVER)
        second.join(first).start()
        where = ",".join(f"https://{s.listen[0]}:{s.agents_port}" for s in self.servers.values())
        for host in HOSTS:
            agent = ZoneAgent(first, self.zones, host, [], *self.agent_arguments, servers=where)
            self._stack.callback(agent.dispose)
            self.agents[host] = agent.take_token().start()
        for agent in self.agents.values():
            agent.wait_connected()
        network = Network(first, "zones", [f"ap-northeast-1{zone}" for zone in "abc"])
        first.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId=GROUP, NumCacheClusters=3, AutomaticFailoverEnabled=True))
        self.wait_whole()
        return self

    # What is there

    def answering(self):
        """The servers that a client can ask, the leader first."""
        there = [s for m, s in self.servers.items() if m not in self.away and s.runs()]
        return sorted(there, key=lambda server: not server.leads())

    def leader(self):
        return next((s for s in self.answering() if s.leads()), None)

    def wait_leader(self):
        return eventually(self.leader, "a server leads", TAKE_OVER)

    def group(self):
        for server in self.answering():
            with contextlib.suppress(ClientError, BotoCoreError, OSError):
                return server.group(GROUP)
        return None

    def primary(self):
        return primary_of(self.group())

    def resolve(self, name):
        for server in self.answering():
            with contextlib.suppress(OSError):
                answer = dnswire.lookup(server.dns, name, "A").addresses()
                if answer:
                    return answer[0]
        raise OSError(f"nobody knows {name}")

    def open(self, endpoint, timeout):
        return InlineSession(self.resolve(endpoint["Address"]), endpoint["Port"], timeout)

    def addresses(self):
        """{member: address}"""
        return {member: self.resolve(endpoint["Address"])
                for member, endpoint in members_of(self.group()).items()}

    def host_at(self, address):
        third = int(address.split(".")[2])
        return next(name for name, number in self.zones.numbers.items() if number == third)

    def host_of(self, member):
        return self.host_at(self.addresses()[member])

    def engines(self):
        """{host: {pid: start time}}"""
        return {host: agent.identities() for host, agent in self.agents.items()}

    def info(self, address, section):
        with self.zones.zones[self.host_at(address)].inside():
            with InlineSession(address, 6379, 1) as session:
                return session.info(section)

    def is_whole(self):
        group = self.group()
        assert group and group["Status"] == "available", group and group["Status"]
        primary, addresses = primary_of(group), self.addresses()
        assert len(addresses) == 3, addresses
        for member, address in addresses.items():
            info = self.info(address, "replication")
            if member == primary:
                assert info["role"] == "master", (member, info)
            else:
                assert info["role"] == "slave", (member, info)
                assert info["master_link_status"] == "up", (member, info)
        self._is_fenced(primary, addresses)
        self._flows(addresses[primary])
        engines = {host: list(pids) for host, pids in self.engines().items() if pids}
        assert sum(map(len, engines.values())) == 3, engines
        return primary

    def _is_fenced(self, primary, addresses):
        """The primary has a lease, and counts on its replicas."""
        fences = {member: self.info(address, "hikae") for member, address in addresses.items()}
        if not any(fences.values()):
            cache = next(c for c in self.status()["caches"] if c["id"] == GROUP)
            assert cache["lease"] and cache["kept"] and cache["counted"] == 2, cache
            return
        epoch = fences[primary]["hikae_epoch"]
        for member, fence in fences.items():
            if member == primary:
                assert fence["hikae_open"] == "1" and epoch != "0", (member, fence)
            else:
                assert fence["hikae_counted_epoch"] == epoch, (member, epoch, fence)

    def _flows(self, address):
        """A connection that was cut off may stand still for seconds after that ended."""
        with self.zones.zones[self.host_at(address)].inside():
            with InlineSession(address, 6379, 2) as session:
                taken, replicas = session.ask_all(["set machines:whole 1", "wait 2 500"])
        assert (taken, replicas) == ("OK", 2), (taken, replicas)

    def wait_whole(self, timeout=90):
        """Until the group is available, the primary has a lease and its replicas count."""
        def whole():
            try:
                return self.is_whole()
            except (OSError, KeyError, ClientError, BotoCoreError) as error:
                raise AssertionError(repr(error)) from error

        return eventually(whole, "the group is whole", timeout, 0.1)

    def promise(self, replicas):
        """Writes that so many replicas have confirmed survive every failover."""
        api = self.wait_leader().elasticache
        fresh = False
        with contextlib.suppress(api.exceptions.CacheParameterGroupAlreadyExistsFault):
            api.create_cache_parameter_group(CacheParameterGroupName="safe",
                                             CacheParameterGroupFamily="redis2.8",
                                             Description="confirmed writes survive")
            fresh = True
        api.modify_cache_parameter_group(
            CacheParameterGroupName="safe",
            ParameterNameValues=[{"ParameterName": "min-slaves-to-write",
                                  "ParameterValue": str(replicas)}])
        if fresh:
            api.modify_replication_group(ReplicationGroupId=GROUP, ApplyImmediately=True,
                                         CacheParameterGroupName="safe")

    def events_since(self, at):
        found = events_of(self.answering()[0].elasticache, GROUP)
        return [text for date, text in found if date.timestamp() > at + self.wall - 2]

    def reports(self):
        """Of failovers since the clients started."""
        account = Account(self.wall)
        account.began = self.account.began
        account.read_reports(self.servers.values(), GROUP)
        return [failover.report for failover in account.failovers]

    # Clients

    def start_clients(self):
        """One beside each member, and one that follows the name from the hub."""
        self.account = Account(self.wall)
        self.account.old_events = events_of(self.answering()[0].elasticache, GROUP)
        self.faults = self.account.faults
        self._runs += 1  # no key and no value is ever written twice
        for member, address in self.addresses().items():
            host = self.host_at(address)
            client = LocalClient(self.zones.zones[host], address, 6379, _session,
                                 f"{member}.{self._runs}", 0.005)
            client.host = host
            self.clients[member] = client
            client.start()
        self.writer = Writer(None, shard_of(self.group())["PrimaryEndpoint"], batch=1, timeout=0.5,
                             pause=0.002, open_session=self.open, first=self._runs * 1_000_000)
        self.writer.start()

        def taken():
            # A leader that was slow may still replace a primary that fell silent before.
            beside = self.clients[self.primary()]
            enough = len(beside.acknowledged()) > 50 and len(self.writer.acknowledged) > 50
            return beside if enough else None

        return eventually(taken, "writes are taken")

    def confirm_beside(self, member):
        """A client beside the member, which takes writes, that asks for a replica each time."""
        address = self.addresses()[member]
        client = ConfirmedClient(self.zones.zones[self.host_at(address)], address, 6379, _session,
                                 f"confirmed.{self._runs}", 0.005)
        client.start()
        self.witness = client
        eventually(lambda: len(client.confirmed) > 20, "writes are confirmed")
        return client

    def lost_of(self, client):
        """Confirmed writes that the primary does not have."""
        client.end()
        with InlineSession(self.addresses()[self.primary()], 6379, 10) as session:
            return [key for _, key, value in client.confirmed if session.ask(f"get {key}") != value]

    def end_clients(self):
        if self.witness is not None:
            self.witness.end()
            self.witness = None
        for client in self.clients.values():
            client.end()
        self.clients = {}
        if self.writer is not None:
            self.writer.end()
            self.writer = None

    def settle(self):
        """Ends all faults and all clients; the group is whole, and what is lost was admitted."""
        self.heal()
        self.wait_leader()
        self.wait_whole()
        clients, writer = dict(self.clients), self.writer
        self.end_clients()
        self.account.add_clients(clients)
        self.account.add_writer(writer, self.host_at)
        eventually(self._read_all, "all members are read", 90, 0.1)
        self.account.read_reports(self.servers.values(), GROUP)
        self.account.read_events(self.answering()[0].elasticache, GROUP)
        return self.account

    def _read_all(self):
        """A member that stops leading just then sends its clients away: once more."""
        try:
            primary = self.is_whole()
            addresses = self.addresses()
            self.account.read_back(InlineSession(addresses.pop(primary), 6379, 10))
            for address in addresses.values():
                self.account.same_at(InlineSession(address, 6379, 10))
        except (OSError, KeyError, ClientError, BotoCoreError) as error:
            raise AssertionError(repr(error)) from error
        return True

    # Faults

    def _begin(self, what, machines, undo, first=False):
        fault = Fault(what, frozenset(machines), time.monotonic())
        self.faults.append(fault)

        def end():
            undo()
            fault.end = time.monotonic()

        (self._undo_first if first else self._undo).append(end)
        return fault.begin

    def heal(self):
        """Ends every fault there is, the newest first, but those of etcd before all others: no
        server starts without it."""
        for ends in (self._undo_first, self._undo):
            while ends:
                ends.pop()()

    def cut(self, machine):
        begin = self._begin(f"cut {machine}", [machine], lambda: self._join(machine))
        self.away.add(machine)
        self.zones.cut(machine)
        return begin

    def _join(self, machine):
        self.zones.heal(machine)
        self.away.discard(machine)

    def block(self, sources, targets):
        """From none of the sources anything gets to one of the targets; the other way it does."""
        pairs = [(s, t) for s in sources for t in targets if s != t]
        begin = self._begin(f"block {sources} to {targets}", [*sources, *targets],
                            lambda: [self.zones.unblock(*pair) for pair in pairs])
        for pair in pairs:
            self.zones.block(*pair)
        return begin

    def power_off(self, machine):
        """A host's or a server's."""
        begin = self._begin(f"power off {machine}", [machine], lambda: self._power_on(machine))
        self.away.add(machine)
        self.zones.power_off(machine)
        if machine in self.agents:
            self.agents[machine].process.wait(10)
        if machine in self.servers:
            self.servers[machine].server.wait(10)
        if machine in ETCDS:
            self.etcd.kill_member(ETCDS.index(machine))
        return begin

    def _power_on(self, machine):
        self.zones.power_on(machine)
        self.away.discard(machine)
        if machine in self.agents:
            self.agents[machine].start()
        if machine in ETCDS:
            self.etcd.start_member(ETCDS.index(machine))
        if machine in self.servers:
            self._start_server(machine)

    def _start_server(self, machine):
        server = self.servers[machine]

        def started():
            if not server.runs():
                server.start(wait=False)
            return eventually(lambda: server.answers() or not server.runs(), "it starts or ends")

        eventually(lambda: started() and server.runs(), f"the server of {machine} serves", 40, 0.3)

    def kill_server(self, machine):
        begin = self._begin(f"kill server {machine}", [], lambda: self._start_server(machine))
        self.servers[machine].kill()
        return begin

    def kill_etcd(self, *members):
        def undo():
            for member in members:
                self.etcd.start_member(member)
            self.etcd.wait_ready(members[0])

        begin = self._begin(f"kill etcd {members}", [], undo, first=True)
        for member in members:
            self.etcd.kill_member(member)
        return begin

    def etcd_leader(self):
        """The number of the member that leads etcd."""
        for member in range(len(ETCDS)):
            with contextlib.suppress(OSError):
                status = self.etcd.call(member, "/v3/maintenance/status", {})
                if status.get("leader") == status["header"]["member_id"]:
                    return member
        return None

    def wait_etcd_leader(self):
        return eventually(lambda: (found := self.etcd_leader()) is not None and [found],
                          "a member leads etcd")[0]

    def stop_server(self, machine):
        """Stopped by a signal, it does nothing until heal()."""
        server = self.servers[machine].server
        begin = self._begin(f"stop server {machine}", [],
                            lambda: (server.send_signal(signal.SIGCONT),
                                     self.away.discard(machine)))
        self.away.add(machine)
        server.send_signal(signal.SIGSTOP)
        return begin

    def kill_engine(self, member):
        return self.kill_engine_at(self.host_of(member))

    def kill_engine_at(self, host):
        doomed = list(self.agents[host].nodes())
        begin = self._begin(f"kill engine {host}", [host], lambda: None)
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return begin

    def kill_process_at(self, host, pid):
        begin = self._begin(f"kill process {pid} of {host}", [host], lambda: None)
        os.kill(pid, signal.SIGKILL)
        return begin

    def signal_agent(self, host, stop, go):
        agent = self.agents[host].process
        begin = self._begin(f"signal agent {host}", [host], lambda: agent.send_signal(go))
        agent.send_signal(stop)
        return begin

    def kill_agent(self, host):
        begin = self._begin(f"kill agent {host}", [host], self.agents[host].start)
        self.agents[host].kill()
        return begin

    def hosts(self):
        return hosts(self.answering()[0])

    def status(self):
        server = self.answering()[0]
        return json.loads(server.hikae("status", "--json", "--data", server.data).ok().out)
