// An exporter with the real prom-client: `node exporter.js BOUND...`. It works as exporter.py beside it.
"use strict";
const http = require("node:http");
const readline = require("node:readline");
const client = require("prom-client");

client.collectDefaultMetrics();
const jobs = new client.Counter({ name: "jobs_total", help: "Jobs." });
const failed = new client.Counter({ name: "jobs_failed_total", help: "Jobs that failed.", labelNames: ["kind"] });
const ready = new client.Gauge({ name: "ready", help: "Whether a part is ready.", labelNames: ["part"] });
const wait = new client.Histogram({ name: "wait_ms", help: "Wait.", buckets: process.argv.slice(2).map(Number) });
ready.set({ part: "well" }, 1);
ready.set({ part: "ill" }, 0);

const server = http.createServer(async (_, answer) => {
  answer.setHeader("Content-Type", client.register.contentType);
  answer.end(await client.register.metrics());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const work = JSON.parse(line);
  jobs.inc(work.jobs);
  failed.inc({ kind: "timeout" }, work.failed);
  for (const [value, times] of work.waits) for (let n = 0; n < times; n++) wait.observe(value);
  console.log("done");
});
