/** `npm run bench:github`: measures the connection to GitHub; `-- --json` prints the results alone, `-- --only NAME` runs one part. */
import { runParts } from "../run-parts.ts";
import { measureBacklog, measurePrompt, measureRequests } from "./measures.ts";

await runParts({ prompt: measurePrompt, requests: measureRequests, backlog: measureBacklog });
