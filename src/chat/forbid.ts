/** What may be shown of a text so far. `forbidden`: it ends here, before this phrase. */
export interface Checked {
  readonly text: string;
  readonly forbidden: string | null;
}

export interface ForbidFilter {
  /** The next piece of an answer. After `forbidden` nothing comes any more. */
  push(piece: string): Checked;
  /** What was held back, once the answer has ended. */
  end(): Checked;
}

/** One sign of the text as it is compared, and how much of the text it stands for. */
interface Sign {
  readonly compared: string;
  readonly units: number;
}

/** More than any one sign has. */
const SEEN_UNITS = 100;
const SEGMENTER = new Intl.Segmenter("und", { granularity: "grapheme" });
const INVISIBLE = /^[\p{Cf}\p{Mn}]+$/u;
const WORD = /^[\p{L}\p{N}_]$/u;
/** Scripts that put no space between words, so that a phrase may stand inside a run of letters. */
const UNSPACED = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}ー]$/u;

/**
 * Holds an answer to a persona's `forbid` while it streams. Compared are whole words, without regard to case, width
 * (NFKC), invisible characters and the amount of white space. Only what could be the beginning of a phrase is held back,
 * so that nothing of one is ever shown, and the rest is not delayed.
 */
export function createForbidFilter(phrases: readonly string[], shown = ""): ForbidFilter {
  const wanted = phrases.map((phrase) => ({ phrase, signs: comparedOf(phrase) }));
  const longest = Math.max(0, ...wanted.map(({ signs }) => signs.length));
  let held = "";
  let before = lastSign(signsOf(shown.slice(-SEEN_UNITS)));
  let over = false;

  const look = (isEnd: boolean): Checked => {
    const signs = signsOf(held);
    // The last character may still get an accent.
    const certain = isEnd ? signs.length : signs.length - 1;
    const compared = joined(signs, before);
    for (let at = 0; at < certain; at += 1) {
      for (const { phrase, signs: phraseSigns } of wanted) {
        const fit = fitAt(compared, at, phraseSigns, isEnd ? signs.length : certain, isEnd);
        if (fit === "no" || !startsWord(compared, at, before)) continue;
        if (fit === "yes") {
          over = true;
          return { text: take(signs, at), forbidden: phrase };
        }
        const text = take(signs, at);
        keep(signs, at, text);
        return { text, forbidden: null };
      }
    }
    const text = take(signs, Math.max(0, certain));
    keep(signs, Math.max(0, certain), text);
    return { text, forbidden: null };
  };

  const take = (signs: readonly Sign[], count: number): string =>
    held.slice(
      0,
      signs.slice(0, count).reduce((sum, sign) => sum + sign.units, 0),
    );
  const keep = (signs: readonly Sign[], count: number, shown: string): void => {
    before = lastSign(signs.slice(0, count)) ?? before;
    held = held.slice(shown.length);
  };

  return {
    push: (piece) => {
      if (over) return { text: "", forbidden: null };
      if (longest === 0) return { text: piece, forbidden: null };
      held += piece;
      return look(false);
    },
    end: () => (over || held === "" ? { text: "", forbidden: null } : look(true)),
  };
}

/** Signs as they are compared: runs of white space are one space, at the beginning too where one came before. */
function joined(signs: readonly Sign[], before: string | null): readonly string[] {
  let last = before ?? "";
  return signs.map(({ compared }) => {
    const one = compared === " " && last === " " ? "" : compared;
    if (one !== "") last = one;
    return one;
  });
}

/** Whether the phrase stands at a place; `maybe`: as far as the text goes. */
function fitAt(
  compared: readonly string[],
  at: number,
  phrase: readonly string[],
  certain: number,
  isEnd: boolean,
): "yes" | "no" | "maybe" {
  let index = at;
  for (const wanted of phrase) {
    while (index < certain && compared[index] === "") index += 1;
    if (index >= certain) return isEnd || index === at ? "no" : "maybe";
    if (compared[index] !== wanted) return "no";
    index += 1;
  }
  if (!isSpaced(phrase.at(-1) ?? "")) return "yes";
  while (index < certain && compared[index] === "") index += 1;
  if (index >= certain) return isEnd ? "yes" : "maybe";
  return isSpaced(compared[index] ?? "") ? "no" : "yes";
}

function startsWord(compared: readonly string[], at: number, before: string | null): boolean {
  if (compared[at] === "") return false;
  if (!isSpaced(compared[at] ?? "")) return true;
  const previous = compared.slice(0, at).findLast((one) => one !== "") ?? before ?? "";
  return !isSpaced(previous);
}

function lastSign(signs: readonly Sign[]): string | null {
  return signs.findLast(({ compared }) => compared !== "")?.compared ?? null;
}

const isSpaced = (sign: string): boolean => WORD.test(sign) && !UNSPACED.test(sign);

const comparedOf = (text: string): readonly string[] =>
  joined(signsOf(text.trim()), null).filter((one) => one !== "");

function signsOf(text: string): readonly Sign[] {
  const signs: Sign[] = [];
  for (const { segment } of SEGMENTER.segment(text)) {
    const folded = Array.from(segment.normalize("NFKC").toLowerCase()).filter((one) => !INVISIBLE.test(one));
    const spaced = folded.map((one) => (/^\s$/u.test(one) ? " " : one));
    if (spaced.length === 0) signs.push({ compared: "", units: segment.length });
    // One character may be several when compared, e.g. ㈱; only the last of them stands for the text.
    for (const [index, compared] of spaced.entries())
      signs.push({ compared, units: index === spaced.length - 1 ? segment.length : 0 });
  }
  return signs;
}
