/*
 * Characters that a page does not show: format characters (zero width, bidirectional controls, tags), controls but tab and newline,
 * variation selectors, joiners, fillers and the blank of Braille. The two that emoji are made with are judged apart.
 */
const INVISIBLE =
  // oxlint-disable-next-line no-misleading-character-class -- the parts of such characters are what is meant
  /(?!\t|\n|\u{200D}|\u{FE0F})[\p{Cf}\p{Cc}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u{34F}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{180B}-\u{180F}\u{2800}\u{3164}\u{FE00}-\u{FE0E}\u{FFA0}\u{FFFC}\u{E0100}-\u{E01EF}]/gu;
// Anywhere else, a row of these two spells bits.
const JOINER_OF_EMOJI =
  /(?<=\p{Extended_Pictographic}[\u{FE0F}\p{Emoji_Modifier}]?)\u{200D}(?=\p{Extended_Pictographic})/u;
const JOINER = new RegExp(`(?!${JOINER_OF_EMOJI.source})\\u{200D}`, "gu");
const SELECTOR = /(?<![\p{Extended_Pictographic}#*0-9])\u{FE0F}/gu;
const NUMERIC_ENTITY = /&#(?:x([0-9a-f]{1,8})|(\d{1,10}));?/gi;
const NAMED_ENTITY =
  /&(?:ZeroWidthSpace|Negative(?:Thin|Medium|Thick|VeryThin)Space|NoBreak|zwn?j|[lr]rm|shy|InvisibleTimes|InvisibleComma|ApplyFunction|i[tc]|af);/g;

/** Takes out what nobody sees, written as characters or as entities. Pure. */
export function withoutInvisible(text: string): string {
  return stripCharacters(
    text
      .replace(/\r\n?/g, "\n")
      .replace(NAMED_ENTITY, "")
      .replace(NUMERIC_ENTITY, (entity, hex, decimal) => {
        const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
        if (code > 0x10_ffff) return "";
        return stripCharacters(String.fromCodePoint(code)) === "" ? "" : entity;
      }),
  );
}

const stripCharacters = (text: string): string =>
  text.replace(INVISIBLE, "").replace(JOINER, "").replace(SELECTOR, "");
