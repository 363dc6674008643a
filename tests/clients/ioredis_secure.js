// Writes and reads through ioredis over TLS as a user. Usage: ioredis_secure.js HOST PORT CA USER
// KEY; the password comes by the input. Prints what the key holds, and how a foreign key fails.
"use strict";

const fs = require("fs");
const Redis = require("ioredis");

const [host, port, ca, username, key] = process.argv.slice(2);
const password = fs.readFileSync(0, "utf8").trim();
const redis = new Redis({
  host, port: Number(port), username, password, tls: { ca: fs.readFileSync(ca) },
});

async function main() {
  await redis.set(key, "over TLS");
  console.log(await redis.get(key));
  await redis.get("foreign").catch((error) => console.log(error.message.split(" ")[0]));
  redis.disconnect();
}

redis.on("error", (error) => {
  console.log(`lost ${error.message}`);
  process.exit(1);
});
main();
