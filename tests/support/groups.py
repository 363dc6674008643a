"""Reading what Describe calls, DNS and reports say of a replication group with one node group."""

import glob
import json
import os


def shard_of(group):
    return group["NodeGroups"][0]


def members_of(group):
    """{cluster id: {'Address': name, 'Port': port}} of the members that have an endpoint."""
    return {member["CacheClusterId"]: member["ReadEndpoint"]
            for member in shard_of(group)["NodeGroupMembers"] if "ReadEndpoint" in member}


def primary_of(group):
    return next(member["CacheClusterId"] for member in shard_of(group)["NodeGroupMembers"]
                if member["CurrentRole"] == "primary")


def report_files(region):
    """The files of all failover reports, oldest first."""
    return sorted(glob.glob(os.path.join(region.data, "failovers", "*.json")))


def reports_of(region, group_id, besides=()):
    """The group's failover reports, oldest first, without those of the files in `besides`."""
    reports = []
    for path in report_files(region):
        if path not in besides:
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
            if report["replication_group"] == group_id:
                reports.append(report)
    return reports


def failovers_of(region, group_id, since=None):
    """The messages of the group's failovers of the last hour, or since then; oldest first."""
    span = {"StartTime": since} if since else {"Duration": 60}
    pages = region.elasticache.get_paginator("describe_events").paginate(
        SourceType="replication-group", SourceIdentifier=group_id, **span)
    messages = [event["Message"] for page in pages for event in page["Events"]]
    return [message for message in reversed(messages) if message.startswith("Failover from")]
