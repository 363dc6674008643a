// Writes numbered values through ioredis as it comes, until its input ends.
// Prints `ok N` for each acknowledged value and `failed N REASON` for every other.
"use strict";

const Redis = require("ioredis");

const [host, port] = process.argv.slice(2);
const redis = new Redis({ host, port: Number(port) });
let ended = false;

// Without a listener ioredis prints a warning for each connection it loses; it reconnects either way.
redis.on("error", (error) => console.log(`lost ${error.message}`));
process.stdin.on("end", () => { ended = true; });
process.stdin.resume();

async function main() {
  for (let number = 1; !ended; ++number) {
    try {
      await redis.set(`n:${number}`, String(number));
      console.log(`ok ${number}`);
    } catch (error) {
      console.log(`failed ${number} ${error.message}`);
    }
    await new Promise((resume) => { setTimeout(resume, 1); });
  }
  redis.disconnect();
}

main();
