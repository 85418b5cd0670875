import type { Clock, Random } from "../../base/index.ts";
import type { EndpointName } from "../endpoints.ts";
import {
  Untranslatable,
  type FindTranslation,
  type TranslatedCall,
  type Translation,
} from "../pipeline/translation.ts";
import { isCounting } from "../routing/count-targets.ts";
import { objectOf } from "../usage/usage.ts";
import type { Codec } from "./codec.ts";
import { CODECS } from "./codecs.ts";
import type { Conversation } from "./conversation.ts";
import { createConverter, createErrorConverter } from "./converter.ts";
import { COUNT_CODECS, type CountCodec } from "./count-codecs.ts";
import { createCountConverter } from "./count-converter.ts";
import { withSafeNames } from "./tools.ts";

/** Translations between all dialects that can hold a conversation; clock and random number mark what they write. */
export function createTranslations(params: Readonly<{ clock: Clock; random: Random }>): FindTranslation {
  return (from, to) => {
    if (isCounting(from) && isCounting(to) && from !== to)
      return (body, asked) => translateCount(COUNT_CODECS[from], COUNT_CODECS[to], body, asked);
    const caller = codecOf(from);
    const provider = codecOf(to);
    if (caller === undefined || provider === undefined || caller === provider) return null;
    return (body, asked) => translate({ ...params, caller, provider, body, asked });
  };
}

function codecOf(endpoint: EndpointName): Codec | undefined {
  return Object.entries(CODECS).find(([spoken]) => spoken === endpoint)?.[1];
}

interface TranslateParams {
  readonly clock: Clock;
  readonly random: Random;
  readonly caller: Codec;
  readonly provider: Codec;
  readonly body: Buffer;
  readonly asked: Parameters<Translation>[1];
}

function translate(params: Readonly<TranslateParams>): TranslatedCall {
  const { caller, provider, asked } = params;
  const document = documentOf(params.body);
  const { conversation, back, body, operation } = shallow(() => {
    const written = rewrite(caller, provider, document, asked);
    return { ...written, body: JSON.stringify(written.body) };
  });
  const stamp = {
    id: params.random.uuid().replaceAll("-", ""),
    createdAt: Math.floor(params.clock.now().getTime() / 1000),
  };
  return {
    body: Buffer.from(body),
    operation,
    answer: (status, headers) =>
      createConverter({ caller, provider, conversation, back, stamp, status, headers }),
  };
}

function rewrite(caller: Codec, provider: Codec, document: unknown, asked: Parameters<Translation>[1]) {
  const conversation = withTurn(caller.readRequest(document, { ...asked, model: asked.model ?? "" }));
  const safe = withSafeNames(conversation);
  return { ...provider.writeRequest(safe.conversation), conversation, back: safe.back };
}

/** Asks another dialect how many tokens a request has, as it would be translated. */
function translateCount(
  caller: CountCodec,
  provider: CountCodec,
  body: Buffer,
  asked: Parameters<Translation>[1],
): TranslatedCall {
  const document = caller.requestOf(objectOf(documentOf(body)));
  const whole = { ...asked, operation: null, query: "" };
  const written = shallow(() =>
    JSON.stringify(
      provider.askFor(
        objectOf(rewrite(caller.codec, provider.codec, document, whole).body),
        asked.model ?? "",
      ),
    ),
  );
  return {
    body: Buffer.from(written),
    operation: provider.operation,
    answer: (status) =>
      status >= 400 ? createErrorConverter(caller.codec, status) : createCountConverter(caller, provider),
  };
}

/** Not every provider answers instructions alone. */
function withTurn(conversation: Conversation): Conversation {
  const { system, turns } = conversation;
  return turns.length > 0 || system.length === 0
    ? conversation
    : { ...conversation, system: [], turns: [{ role: "user", parts: system }] };
}

function documentOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Untranslatable("body: this is not JSON.");
  }
}

/** Work whose depth is that of the request. */
function shallow<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new Untranslatable("body: it is nested too deeply.");
    throw error;
  }
}
