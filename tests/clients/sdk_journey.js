// The AWS SDK for JavaScript as it comes: makes a group, waits for it, fails it over, deletes it.
// Usage: sdk_journey.js ENDPOINT GROUP SUBNET_GROUP. Prints one JSON object for each step.
"use strict";

const sdk = require("@aws-sdk/client-elasticache");

const [endpoint, group, subnetGroup] = process.argv.slice(2);
const PATIENCE = { maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const client = new sdk.ElastiCacheClient({ endpoint });

function say(step, facts) {
  console.log(JSON.stringify({ step, ...facts }));
}

async function describe() {
  const answer = await client.send(
    new sdk.DescribeReplicationGroupsCommand({ ReplicationGroupId: group }));
  return answer.ReplicationGroups[0];
}

function primaryOf(description) {
  const members = description.NodeGroups[0].NodeGroupMembers;
  return members.find((member) => member.CurrentRole === "primary").CacheClusterId;
}

async function create() {
  const made = await client.send(new sdk.CreateReplicationGroupCommand({
    ReplicationGroupId: group,
    ReplicationGroupDescription: "made by the SDK for JavaScript",
    Engine: "redis",
    CacheNodeType: "cache.t3.micro",
    NumCacheClusters: 2,
    AutomaticFailoverEnabled: true,
    CacheSubnetGroupName: subnetGroup,
    Tags: [{ Key: "made by", Value: "sdk" }],
  }));
  say("created", { status: made.ReplicationGroup.Status });
  const waited = await sdk.waitUntilReplicationGroupAvailable(
    { client, ...PATIENCE }, { ReplicationGroupId: group });
  const description = await describe();
  say("available", {
    waiter: waited.state,
    status: description.Status,
    primary: primaryOf(description),
    created: description.ReplicationGroupCreateTime instanceof Date,
    endpoint: description.NodeGroups[0].PrimaryEndpoint,
  });
}

async function failOver() {
  const before = primaryOf(await describe());
  const { NodeGroupId } = (await describe()).NodeGroups[0];
  await client.send(new sdk.TestFailoverCommand({ ReplicationGroupId: group, NodeGroupId }));
  const deadline = Date.now() + PATIENCE.maxWaitTime * 1000;
  let now = await describe();
  while ((primaryOf(now) === before || now.Status !== "available") && Date.now() < deadline) {
    await new Promise((resume) => { setTimeout(resume, 50); });
    now = await describe();
  }
  say("failed over", { from: before, to: primaryOf(now), status: now.Status });
}

async function remove() {
  await client.send(new sdk.DeleteReplicationGroupCommand({ ReplicationGroupId: group }));
  const waited = await sdk.waitUntilReplicationGroupDeleted(
    { client, ...PATIENCE }, { ReplicationGroupId: group });
  say("deleted", { waiter: waited.state });
  try {
    await describe();
    say("described", {});
  } catch (error) {
    say("refused", {
      name: error.name,
      known: error instanceof sdk.ReplicationGroupNotFoundFault,
      status: error.$metadata.httpStatusCode,
    });
  }
}

async function pages() {
  const seen = [];
  const paginator = sdk.paginateDescribeCacheEngineVersions({ client, pageSize: 20 }, {});
  for await (const page of paginator) {
    seen.push(page.CacheEngineVersions.length);
  }
  say("pages", { sizes: seen });
}

create().then(failOver).then(remove).then(pages).catch((error) => {
  say("failed", { name: error.name, message: error.message });
  process.exitCode = 1;
});
