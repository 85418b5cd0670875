import type { Source } from "./conversation.ts";

const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/;

/** A URL as OpenAI's dialects have it, where bytes stand in a data URL. */
export function sourceOfUrl(url: string): Source {
  const data = DATA_URL.exec(url);
  if (data === null) return { kind: "url", url, mediaType: null };
  return { kind: "base64", mediaType: data[1] ?? "", data: url.slice(data[0].length) };
}

export function urlOfSource(source: Source): string {
  return source.kind === "url" ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
