/** `npm run bench`: measures the product; `-- --json` prints the results alone, `-- --only NAME` runs one part. */
import { measureIdle, measurePrompt, measureStart } from "./installation.ts";
import { runParts } from "./run-parts.ts";
import { measureList } from "./task-list.ts";
import { measureThroughput } from "./task-throughput.ts";
import { measureTrim } from "./trim.ts";

await runParts({
  throughput: measureThroughput,
  list: measureList,
  prompt: measurePrompt,
  start: measureStart,
  idle: measureIdle,
  trim: measureTrim,
});
