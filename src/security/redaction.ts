import { SECRET_VALUES, URL_PASSWORD } from "../base/index.ts";

/** A text without what may be a secret. */
export type Redact = (text: string) => string;

const GONE = "[redacted]";

const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;
const SHOWN_KEY = /\b(Bearer|Basic)\s+[\w.~+/=-]{12,}/gi;
const NAMES = "api[_-]?key|token|secret|password|passwd|credential|authorization";
const NAMED = new RegExp(
  String.raw`\b([\w-]{0,40}(?:${NAMES})[\w-]{0,40}\\?["'\`]?\s{0,4}[:=]\s{0,4}\\?["'\`]?)([^\s"'\`,;<>{}()[\]\\]{8,})`,
  "gi",
);
/** Keys of runs and tokens of the command line: 32 random bytes. */
const RANDOM = /(?<![\w+-])[\w-]{43}(?![\w+=-])/g;

const isRandom = (text: string): boolean => /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
/** A number, or what code says in place of a secret: `z.string`, `process.env.TOKEN`. */
const isNoSecret = (value: string): boolean => /^\d+$|^[A-Za-z_]+(?:\.\w+)+$|^[$%]/.test(value);

/** Redacts keys by what they look like or are named, then what `patterns` (global) find, then `known` secrets. */
export function createRedaction(patterns: readonly RegExp[], known: readonly string[] = []): Redact {
  return (text) => {
    const masked = text
      .replaceAll(PRIVATE_KEY, GONE)
      .replaceAll(SECRET_VALUES, GONE)
      .replaceAll(URL_PASSWORD, `$1${GONE}@`)
      .replaceAll(SHOWN_KEY, `$1 ${GONE}`)
      .replaceAll(NAMED, (all, name: string, value: string) => (isNoSecret(value) ? all : name + GONE))
      .replaceAll(RANDOM, (all) => (isRandom(all) ? GONE : all));
    const own = patterns.reduce((rest, pattern) => rest.replaceAll(pattern, GONE), masked);
    return known.reduce((rest, secret) => rest.replaceAll(secret, GONE), own);
  };
}

const SECRET_FIELD = new RegExp(String.raw`(?:^|[_-])(?:${NAMES})s?$`, "i");
/** Deeper values are left out: nothing good is that deep. */
const DEEPEST = 100;

/** A JSON value with every text in it redacted, and whole where its field is named like a secret. */
export function redactJson(value: unknown, redact: Redact, depth = 0): unknown {
  if (typeof value === "string") return redact(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) return value.map((one) => redactJson(one, redact, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      redact(name),
      typeof one === "string" && SECRET_FIELD.test(name) ? GONE : redactJson(one, redact, depth + 1),
    ]),
  );
}
