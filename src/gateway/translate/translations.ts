import type { Clock, Random } from "../../base/index.ts";
import type { EndpointName } from "../endpoints.ts";
import {
  Untranslatable,
  type FindTranslation,
  type TranslatedCall,
  type Translation,
} from "../pipeline/translation.ts";
import type { Codec } from "./codec.ts";
import { CODECS } from "./codecs.ts";
import { createConverter } from "./converter.ts";
import { withSafeNames } from "./tools.ts";

/** Translations between all dialects that can hold a conversation; clock and random number mark what they write. */
export function createTranslations(params: Readonly<{ clock: Clock; random: Random }>): FindTranslation {
  return (from, to) => {
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
  const conversation = caller.readRequest(document, {
    ...asked,
    model: asked.model ?? "",
  });
  const safe = withSafeNames(conversation);
  const written = provider.writeRequest(safe.conversation);
  const stamp = {
    id: params.random.uuid().replaceAll("-", ""),
    createdAt: Math.floor(params.clock.now().getTime() / 1000),
  };
  return {
    body: Buffer.from(textOf(written.body)),
    operation: written.operation,
    answer: (status, headers) =>
      createConverter({ caller, provider, conversation, back: safe.back, stamp, status, headers }),
  };
}

function documentOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Untranslatable("body: this is not JSON.");
  }
}

function textOf(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    if (error instanceof RangeError) throw new Untranslatable("body: it is nested too deeply.");
    throw error;
  }
}
