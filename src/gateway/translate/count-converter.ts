import type { Converter } from "../relay/converter.ts";
import { objectOf } from "../usage/usage.ts";
import type { CountCodec } from "./count-codecs.ts";

/** Turns a provider's count into what its caller asked for. */
export function createCountConverter(caller: CountCodec, provider: CountCodec): Converter {
  const body: Buffer[] = [];
  return {
    headers: { "content-type": "application/json" },
    push: (chunk) => {
      body.push(chunk);
      return Buffer.alloc(0);
    },
    end: () => {
      const tokens = provider.readCount(objectOf(JSON.parse(Buffer.concat(body).toString("utf8"))));
      if (tokens === null) throw new Error("an answer without a count");
      return Buffer.from(JSON.stringify(caller.writeCount(tokens)));
    },
  };
}
