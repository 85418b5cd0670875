import { systemClock, systemRandom } from "../../base/index.ts";
import type { Spoken } from "./conversation.ts";
import { createTranslations } from "./translations.ts";

/** The translations of the product. */
export const findTranslation = createTranslations({ clock: systemClock, random: systemRandom });

/** A request on its way from one dialect to another. */
function openTranslation(from: Spoken, to: Spoken, body: object, model = "some-model") {
  const translated = findTranslation(from, to)?.(Buffer.from(JSON.stringify(body)), {
    model,
    operation: "generateContent",
    query: "",
  });
  if (translated === undefined) throw new Error(`no translation from ${from} to ${to}`);
  return translated;
}

/** What becomes of a request. */
export const request = (from: Spoken, to: Spoken, body: object, model?: string): unknown =>
  JSON.parse(openTranslation(from, to, body, model).body.toString());

/** What becomes of the answer to a request. */
export function answer(from: Spoken, to: Spoken, body: object, document: object): unknown {
  const converter = openTranslation(from, to, body).answer(200, { "content-type": "application/json" });
  converter.push(Buffer.from(JSON.stringify(document)));
  return JSON.parse(converter.end().toString());
}

export const PNG = "iVBORw0KGgo=";
export const SCHEMA = { type: "object", properties: { path: { type: "string" } } };
export const hello = [{ role: "user", content: "hi" }];
