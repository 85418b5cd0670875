import { createParser } from "eventsource-parser";
import { z } from "zod";
import { messageOf, parseJson } from "../base/index.ts";
import type { Reason } from "../contract/index.ts";
import { chatReason } from "./reasons.ts";

type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

export interface ModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly Part[];
}

export interface ModelCall {
  /** Origin of the gateway. */
  readonly gatewayUrl: string;
  readonly key: string;
  readonly model: string;
  readonly messages: readonly ModelMessage[];
  /** Options of the gateway. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The id under which the ledger will know the call. */
  readonly onCall: (id: string) => void;
  readonly onText: (text: string) => void;
}

/** `cut`: the model had no room for more. */
export type CallEnd =
  | { readonly outcome: "complete" | "cut" | "aborted" }
  | { readonly outcome: "failed"; readonly reason: Reason };

const errorShape = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });
const chunkShape = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
});
const modelsShape = z.object({ data: z.array(z.object({ id: z.string() })) });
const LONGEST_MESSAGE = 1_000;

/** Asks a model through the gateway and hands its text on as it comes. Never throws for what a provider does. */
export async function callModel(call: Readonly<ModelCall>): Promise<CallEnd> {
  try {
    const response = await fetch(`${call.gatewayUrl}/v1/chat/completions`, {
      method: "POST",
      headers: {
        ...call.headers,
        authorization: `Bearer ${call.key}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        model: call.model,
        messages: call.messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
      signal: call.signal,
    });
    const id = response.headers.get("x-miyabi-call");
    if (id !== null) call.onCall(id);
    if (!response.ok || response.body === null)
      return { outcome: "failed", reason: refusal(response.status, await response.text()) };
    return await readStream(response.body, call.onText);
  } catch (error) {
    if (call.signal.aborted) return { outcome: "aborted" };
    return { outcome: "failed", reason: chatReason("chat.model_failed", messageOf(error)) };
  }
}

/** Names of the models that the key may use, in the gateway's order. */
export async function listModels(of: {
  readonly gatewayUrl: string;
  readonly key: string;
  readonly signal: AbortSignal;
}): Promise<readonly string[]> {
  const response = await fetch(`${of.gatewayUrl}/v1/models`, {
    headers: { authorization: `Bearer ${of.key}` },
    signal: of.signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    return [];
  }
  const models = modelsShape.safeParse(await response.json());
  return models.success ? models.data.data.map(({ id }) => id) : [];
}

async function readStream(body: AsyncIterable<Uint8Array>, onText: (text: string) => void): Promise<CallEnd> {
  let finish: string | null = null;
  let done = false;
  let failure: Reason | null = null;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") {
        done = true;
        return;
      }
      const value = parseJson(data);
      const error = errorShape.safeParse(value);
      if (error.success) failure ??= chatReason("chat.model_failed", error.data.error.message);
      const chunk = chunkShape.safeParse(value);
      if (!chunk.success || failure !== null) return;
      const [choice] = chunk.data.choices;
      finish = choice?.finish_reason ?? finish;
      const text = choice?.delta?.content ?? "";
      if (text !== "") onText(text);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (failure !== null) return { outcome: "failed", reason: failure };
  }
  if (finish === null && !done)
    return { outcome: "failed", reason: chatReason("chat.model_failed", "The answer broke off.") };
  return { outcome: finish === "length" ? "cut" : "complete" };
}

function refusal(status: number, body: string): Reason {
  const error = errorShape.safeParse(parseJson(body));
  const message = error.success ? error.data.error.message : `The gateway answered ${status}.`;
  return chatReason("chat.model_failed", message.slice(0, LONGEST_MESSAGE));
}
