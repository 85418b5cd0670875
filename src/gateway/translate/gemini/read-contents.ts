import { z } from "zod";
import type {
  AssistantPart,
  FilePart,
  ImagePart,
  TextPart,
  ToolResultPart,
  Turn,
  UserPart,
} from "../conversation.ts";
import { proofOf } from "../proof.ts";
import { cannotCarry } from "../untranslatable.ts";

const part = z.looseObject({
  text: z.string().nullish(),
  thought: z.boolean().nullish(),
  thoughtSignature: z.string().nullish(),
  inlineData: z.looseObject({ mimeType: z.string(), data: z.string() }).nullish(),
  fileData: z.looseObject({ mimeType: z.string().nullish(), fileUri: z.string() }).nullish(),
  functionCall: z
    .looseObject({
      id: z.string().nullish(),
      name: z.string(),
      args: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
  functionResponse: z
    .looseObject({
      id: z.string().nullish(),
      name: z.string(),
      response: z.record(z.string(), z.unknown()).nullish(),
      parts: z
        .array(
          z.looseObject({ inlineData: z.looseObject({ mimeType: z.string(), data: z.string() }).nullish() }),
        )
        .nullish(),
    })
    .nullish(),
});
type Part = z.output<typeof part>;
export const contentSchema = z.looseObject({ role: z.string().nullish(), parts: z.array(part).nullish() });
export type Content = z.output<typeof contentSchema>;

/** Files that only Google can fetch. */
const OWN_FILE = /^(?:gs:|https:\/\/generativelanguage\.googleapis\.com\/)/;

/** @throws Untranslatable */
export function turnsOf(contents: readonly Content[]): readonly Turn[] {
  /** Calls without an answer yet, oldest first: Google's clients may leave ids out and go by name and order. */
  const open: { readonly id: string; readonly name: string }[] = [];
  return contents.map((content, at): Turn => {
    const field = (index: number): string => `contents.${at}.parts.${index}`;
    if (content.role === "model") {
      const parts = (content.parts ?? []).flatMap((one, index) =>
        assistantParts(one, field(index), `call_${at}_${index}`),
      );
      for (const one of parts) if (one.type === "tool_call") open.push(one);
      return { role: "assistant", parts };
    }
    const answered = (name: string, id: string | null | undefined): string => {
      const index = open.findIndex((call) => (id == null || id === "" ? call.name === name : call.id === id));
      return index === -1 ? (id ?? name) : (open.splice(index, 1)[0]?.id ?? name);
    };
    return {
      role: "user",
      parts: (content.parts ?? []).flatMap((one, index) => userParts(one, field(index), answered)),
    };
  });
}

export function textsOf(content: Content | null | undefined): readonly TextPart[] {
  return (content?.parts ?? []).flatMap(({ text }) =>
    text == null || text === "" ? [] : [{ type: "text", text } as const],
  );
}

function userParts(
  one: Part,
  field: string,
  answered: (name: string, id: string | null | undefined) => string,
): readonly UserPart[] {
  const { functionResponse: result } = one;
  if (result == null) return [shownPart(one, field)];
  const { response = {} } = result;
  const images = (result.parts ?? []).flatMap(({ inlineData }) =>
    inlineData == null ? [] : [bytesPart(inlineData, `${field}.functionResponse.parts`)],
  );
  return [
    {
      type: "tool_result",
      callId: answered(result.name, result.id),
      content: [...resultText(response ?? {}), ...images],
      isError: Object.keys(response ?? {}).join() === "error",
    } satisfies ToolResultPart,
  ];
}

/** Most clients put a text into one of these fields. */
function resultText(response: Readonly<Record<string, unknown>>): readonly TextPart[] {
  const [[name, value] = ["", ""], more] = Object.entries(response);
  const isPlain =
    more === undefined &&
    typeof value === "string" &&
    ["output", "result", "error", "content", ""].includes(name);
  const text = isPlain ? value : JSON.stringify(response);
  return text === "" ? [] : [{ type: "text", text }];
}

function assistantParts(one: Part, field: string, id: string): readonly AssistantPart[] {
  const { functionCall: call, thoughtSignature: signature } = one;
  const proof =
    signature == null || signature === ""
      ? null
      : proofOf(signature, "generate_content", { id: null, redacted: false });
  if (one.thought === true) return [{ type: "thinking", text: one.text ?? "", proof }];
  const before: readonly AssistantPart[] = proof === null ? [] : [{ type: "thinking", text: "", proof }];
  if (call != null) {
    const given = call.id == null || call.id === "" ? id : call.id;
    return [
      ...before,
      { type: "tool_call", id: given, name: call.name, input: JSON.stringify(call.args ?? {}) },
    ];
  }
  if (one.text == null) throw cannotCarry(`${field} "${kindOf(one)}"`);
  return one.text === "" ? before : [...before, { type: "text", text: one.text }];
}

function shownPart(one: Part, field: string): TextPart | ImagePart | FilePart {
  if (one.text != null) return { type: "text", text: one.text };
  if (one.inlineData != null) return bytesPart(one.inlineData, `${field}.inlineData`);
  if (one.fileData == null) throw cannotCarry(`${field} "${kindOf(one)}"`);
  const { mimeType, fileUri } = one.fileData;
  const type = mimeType ?? "";
  if (OWN_FILE.test(fileUri) || /^(?:audio|video)\//.test(type)) throw cannotCarry(`${field}.fileData`);
  const source = { kind: "url", url: fileUri, mediaType: mimeType ?? null } as const;
  return type.startsWith("image/")
    ? { type: "image", source, detail: null }
    : { type: "file", source, name: null };
}

function bytesPart(
  bytes: { readonly mimeType: string; readonly data: string },
  field: string,
): ImagePart | FilePart {
  if (/^(?:audio|video)\//.test(bytes.mimeType)) throw cannotCarry(`${field} "${bytes.mimeType}"`);
  const source = { kind: "base64", mediaType: bytes.mimeType, data: bytes.data } as const;
  return bytes.mimeType.startsWith("image/")
    ? { type: "image", source, detail: null }
    : { type: "file", source, name: null };
}

const kindOf = (one: Part): string => Object.keys(one)[0] ?? "empty";
