"""What has to be true of a group once the faults have stopped. Each function raises AssertionError
with what is not so yet."""

import contextlib
import os
import time

from support.groups import members_of, primary_of, shard_of
from support.inline import RedisError, replicas_online


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def available(region, group_id):
    """The description of a group and of its members that says so."""
    described = region.group(group_id)
    expect(described["Status"] == "available", f"group {group_id} is {described['Status']}")
    states = {name: region.cluster(name)["CacheClusterStatus"]
              for name in described["MemberClusters"]}
    expect(set(states.values()) == {"available"}, f"members are {states}")
    return described


def whole(region, group):
    """Describe, DNS and every engine agree, and one node takes writes. Returns the description."""
    described = _described(region, group)
    endpoints = members_of(described)
    expect(set(endpoints) == group.members, f"endpoints of {sorted(endpoints)}")
    primary = primary_of(described)
    addresses = {name: region.resolve(endpoint["Address"])
                 for name, endpoint in endpoints.items()}
    try:
        with contextlib.ExitStack() as stack:
            sessions = {name: stack.enter_context(region.session(endpoint, 2))
                        for name, endpoint in endpoints.items()}
            _engines(region, primary, addresses, sessions)
            _writes(primary, sessions, str(time.monotonic_ns()))
    except (OSError, RedisError) as error:
        raise AssertionError(f"a member of {group.id} does not answer: {error!r}") from error
    _names(region, described, primary, addresses)
    return described


def _described(region, group):
    described = available(region, group.id)
    shown = set(described["MemberClusters"])
    expect(shown - group.maybe == group.members - group.maybe,
           f"members are {sorted(shown)}, not {sorted(group.members)}")
    # The answer to their creation or deletion was lost; now it is known what became of them.
    group.members, group.maybe = shown, set()
    roles = [member["CurrentRole"] for member in shard_of(described)["NodeGroupMembers"]]
    expect(roles.count("primary") == 1, f"roles are {roles}")
    return described


def expectations(group, described):
    """What the owner was told stays true; a list of what does not. Knows better afterwards."""
    problems = []
    for name, possible in (("AutomaticFailover", group.failover),
                           ("Description", group.descriptions)):
        value = described[name]
        if value not in possible:
            problems.append(f"{name} of {group.id} is {value!r}, not {sorted(possible)}")
        possible.clear()
        possible.add(value)
    return problems


def _records(region, name):
    """(target of the CNAME, address), as dig says."""
    outcome = region.dig("+noall", "+answer", name).ok()
    lines = [line.split() for line in outcome.lines()]
    alias = [line[4].rstrip(".") for line in lines if line[3] == "CNAME"]
    address = [line[4] for line in lines if line[3] == "A"]
    expect(len(alias) == 1 and len(address) == 1, f"dig answers {outcome.lines()}")
    return alias[0], address[0]


def _names(region, described, primary, addresses):
    endpoints = members_of(described)
    shard = shard_of(described)
    target = (endpoints[primary]["Address"], addresses[primary])
    found = _records(region, shard["PrimaryEndpoint"]["Address"])
    expect(found == target, f"the primary endpoint leads to {found}, the primary is {target}")
    readers = {(endpoints[name]["Address"], address) for name, address in addresses.items()
               if name != primary or len(addresses) == 1}
    found = _records(region, shard["ReaderEndpoint"]["Address"])
    expect(found in readers, f"the reader endpoint leads to {found}, which is none of {readers}")


def _engines(region, primary, addresses, sessions):
    for name, session in sessions.items():
        info = session.info("replication")
        if name == primary:
            expect(info["role"] == "master", f"{name} says that it is a {info['role']}")
            online = replicas_online(info)
            replicas = sorted(address for other, address in addresses.items() if other != primary)
            expect(online == replicas, f"replicas of {name} are {online}, not {replicas}")
            continue
        expect(info["role"] == "slave", f"{name} says that it is a {info['role']}")
        expect(info["master_link_status"] == "up", f"the link of {name} is down")
        leads = region.resolve(info["master_host"])
        expect(leads == addresses[primary], f"{name} follows {leads}, not {addresses[primary]}")


def _writes(primary, sessions, mark):
    expect(sessions[primary].ask(f"set chaos:whole {mark}") == "OK", f"{primary} refuses to write")
    replicas = len(sessions) - 1
    confirmed = sessions[primary].ask(f"wait {replicas} 2000")
    expect(confirmed == replicas, f"only {confirmed} of {replicas} replicas confirm a write")
    for name, session in sessions.items():
        expect(session.ask("get chaos:whole") == mark, f"{name} has not got the write")
        if name != primary:
            refusal = session.ask_all(["set chaos:whole stray"])[0]
            expect(isinstance(refusal, RedisError) and str(refusal).startswith("READONLY"),
                   f"{name} is a replica and answers {refusal!r} to a write")


def gone(region, group_id):
    """Nothing is left of the group, neither in Describe calls nor as a process."""
    try:
        status = region.group(group_id)["Status"]
    except region.elasticache.exceptions.ReplicationGroupNotFoundFault:
        return True
    raise AssertionError(f"group {group_id} is {status}")


def exactly(region, members):
    """The engines that run are those of the members, and no directory is left of others."""
    running = sorted({os.path.basename(path) for path in region.directories_of(region.nodes())})
    expect(running == sorted(members), f"engines of {running} run, not of {sorted(members)}")
    kept = sorted(os.path.basename(path) for path in region.node_directories())
    expect(kept == sorted(members), f"directories of {kept}, not of {sorted(members)}")
    return True
