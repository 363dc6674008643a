"""What the benches share: a region of their own, signed requests on one connection, figures.

Python's standard library only, so that nothing but the server's own time is measured.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGION = "ap-northeast-1"
START_LIMIT_SECONDS = 30
STOP_LIMIT_SECONDS = 30
VERSIONS = {"elasticache": "2015-02-02", "ec2": "2016-11-15", "sts": "2011-06-15"}


def free_port():
    """A port that is free for TCP and UDP on 127.0.0.1, now."""
    for _ in range(100):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]
    sys.exit("no free port found")


def wait_until(condition, what, limit=START_LIMIT_SECONDS, pause=0.0):
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit} s")
        if pause:
            time.sleep(pause)


def each_engine(options, compare):
    """compare(name, options) for every engine with a benchmark of its own that is installed."""
    options.module = os.path.abspath(options.module)
    for name in ("valkey", "redis"):
        if shutil.which(f"{name}-server") and shutil.which(f"{name}-benchmark"):
            compare(name, options)


def mortal(command):
    """The command as a process that ends with this one, whatever ends that."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def pinned(core, command):
    """The command bound to one processor, where there are two and taskset."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(core), *command]


# Signed requests


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def form(parameters):
    return "&".join(f"{quote(str(k), safe='-_.~')}={quote(str(v), safe='-_.~')}"
                    for k, v in sorted(parameters.items()))


def signed_headers(host, body, service="elasticache", key="test", secret="test"):
    """The headers of a POST with signature version 4."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/{service}/aws4_request"
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8",
               "host": host, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body.encode()).hexdigest()}"
    text = (f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
            f"{hashlib.sha256(canonical.encode()).hexdigest()}")
    signing_key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        signing_key = _hmac(signing_key, part)
    signature = hmac.new(signing_key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    return headers


def wire_request(host, parameters, service="elasticache"):
    """A whole signed request as it goes on the wire."""
    body = form({"Version": VERSIONS[service], **parameters})
    headers = {**signed_headers(host, body, service), "content-length": len(body)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode()


class Refused(Exception):
    """An answer that is not 200; `code` is AWS's."""

    def __init__(self, status, text):
        super().__init__(f"HTTP {status}: {text[:1000]}")
        start, end = text.find("<Code>"), text.find("</Code>")
        self.code = text[start + 6:end] if 0 <= start < end else ""


class Client:
    """Signed calls over one keep-alive connection."""

    def __init__(self, port):
        self.host = f"127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def text(self, action, service="elasticache", **parameters):
        body = form({"Action": action, "Version": VERSIONS[service], **parameters})
        headers = signed_headers(self.host, body, service)
        self._connection.request("POST", "/", body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise Refused(answer.status, text)
        return text

    def call(self, action, service="elasticache", **parameters):
        """The answer as a tree without namespaces."""
        tree = ElementTree.fromstring(self.text(action, service, **parameters))
        for element in tree.iter():
            element.tag = element.tag.rpartition("}")[2]
        return tree

    def get(self, target):
        """An unsigned GET; only for what is no part of AWS's API."""
        self._connection.request("GET", target)
        return self._connection.getresponse().read().decode()

    def close(self):
        self._connection.close()


# Regions


class Process:
    """A child that is ended with the with-block."""

    def __init__(self, command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        self.child = subprocess.Popen(command, **options)
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.stdin is not None:
            self.child.stdin.close()
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class ServedRegion:
    """The real program with real engines, in a temporary directory."""

    def __init__(self, binary):
        if not os.path.exists(binary):
            sys.exit(f"{binary} is not there: ./run --build-only builds it")
        self.binary = os.path.abspath(binary)
        self.port = free_port()

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-")
        self.data = os.path.join(self.directory, "data")
        self._log = open(os.path.join(self.directory, "serve.log"), "wb")
        self._serve = Process([self.binary, "serve", "--data", self.data, "--listen",
                               f"127.0.0.1:{self.port}", "--dns-listen",
                               f"127.0.0.1:{free_port()}", "--region", REGION,
                               "--allow-test-credentials"], stdout=self._log, stderr=self._log)
        self.pid = self._serve.pid
        wait_until(lambda: answers(self.port) or self._serve.child.poll() is not None,
                   "hikae serve answers", pause=0.02)
        return self

    def __exit__(self, failure, *_):
        self._serve.__exit__()
        if failure is not None:
            with open(self._log.name, encoding="utf-8", errors="replace") as log:
                sys.stderr.write("".join(log.readlines()[-20:]))
        subprocess.run([self.binary, "down", "--data", self.data], check=False,
                       stdout=subprocess.DEVNULL)
        self._log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class MockedRegion:
    """bench_region: all of hikae but the engines."""

    def __init__(self, binary, core=None):
        if not os.path.exists(binary):
            sys.exit(f"{binary} is not there: see bench/README.md for building it")
        self.binary, self.core, self.port = binary, core, free_port()

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-")
        command = [self.binary, os.path.join(self.directory, "data"), str(self.port)]
        if self.core is not None:
            command = pinned(self.core, command)
        self._process = Process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        if self._process.child.stdout.readline() != b"ready\n":
            sys.exit("bench_region does not start")
        return self

    def __exit__(self, *_):
        self._process.__exit__()
        shutil.rmtree(self.directory, ignore_errors=True)


def answers(port):
    try:
        client = Client(port)
        client.text("GetCallerIdentity", "sts")
        client.close()
        return True
    except (OSError, Refused, http.client.HTTPException):
        return False


def make_network(client, third_octet=0, prefix=20, zones=("a", "b", "c"), name="bench"):
    """A VPC, one subnet for each zone and a cache subnet group over them."""
    vpc = client.call("CreateVpc", "ec2", CidrBlock="10.0.0.0/16").find("vpc/vpcId").text
    step = 1 << max(0, 24 - prefix)
    subnets = {}
    for i, zone in enumerate(zones):
        answer = client.call("CreateSubnet", "ec2", VpcId=vpc,
                             CidrBlock=f"10.0.{third_octet + i * step}.0/{prefix}",
                             AvailabilityZone=REGION + zone)
        subnets[f"SubnetIds.SubnetIdentifier.{i + 1}"] = answer.find("subnet/subnetId").text
    client.call("CreateCacheSubnetGroup", CacheSubnetGroupName=name,
                CacheSubnetGroupDescription="of a bench", **subnets)


def group_parameters(group, port=6479, engine="redis", version="7.1", subnet_group="bench"):
    return {"ReplicationGroupId": group, "ReplicationGroupDescription": "of a bench",
            "AutomaticFailoverEnabled": "true", "NumCacheClusters": 3,
            "CacheNodeType": "cache.m3.medium", "Engine": engine, "EngineVersion": version,
            "CacheSubnetGroupName": subnet_group, "Port": port}


# Figures


def percentile(values, share):
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]


def figures(values, unit="ms"):
    return (f"min {min(values):8.1f}  median {percentile(values, 0.5):8.1f}  "
            f"p99 {percentile(values, 0.99):8.1f} {unit}")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise KeyError("VmRSS")


def processor_seconds(pid):
    """User and system time of a process so far, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_machine():
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        gib = int(meminfo.readline().split()[1]) / (1 << 20)
    load = os.getloadavg()[0]
    print(f"# {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {gib:.0f} GiB, "
          f"{platform.system()} {platform.machine()}, load before the run {load:.1f}", flush=True)
    if load > 0.5:
        print("# something else works on this machine: the figures are worse than they could be",
              flush=True)
