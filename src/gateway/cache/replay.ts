import { once } from "node:events";
import type { AnswerSink } from "../relay/answer-sink.ts";
import type { CachedAnswer } from "./cache-backend.ts";

const EVENT_END = Buffer.from("\n\n");

/** Answers with a kept answer: a stream event by event, anything else at once. Ends early where the caller goes away. */
export async function replay(
  response: AnswerSink,
  answer: CachedAnswer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { body, contentType } = answer;
  if (!contentType.includes("event-stream")) {
    response
      .writeHead(200, { ...headers, "content-type": contentType, "content-length": String(body.length) })
      .end(body);
    return;
  }
  response.writeHead(200, { ...headers, "content-type": contentType });
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(EVENT_END, start);
    const end = found === -1 ? body.length : found + EVENT_END.length;
    if (!response.write(body.subarray(start, end)) && !response.destroyed)
      await Promise.race([once(response, "drain"), once(response, "close")]).catch(() => {});
    if (response.destroyed) return;
    start = end;
  }
  response.end();
}
