// Starts (or adopts) the embedded server of the home given as argument, prints its pid, and exits without stopping it.
import {
  resolveHome,
  silentLog,
  systemClock,
  systemProcessRunner,
  systemRandom,
} from "../../src/base/index.ts";
import { createEmbeddedPostgres } from "../../src/store/index.ts";

const server = createEmbeddedPostgres({
  home: resolveHome({ MIYABI_HOME: process.argv[2] }),
  log: silentLog,
  clock: systemClock,
  random: systemRandom,
  processRunner: systemProcessRunner,
  settings: { fsync: "off" },
});
await server.start();
process.stdout.write(String(server.serverProcess()?.pid));
