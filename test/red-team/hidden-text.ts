/** Issue bodies with an order that a reader of the page does not see, and words that they do. */
export const HIDDEN = "OBEYTHIS";
export const SHOWN = "pricelist";

const tags = (text: string): string =>
  Array.from(text, (character) => String.fromCodePoint(0xe0000 + (character.codePointAt(0) ?? 0))).join("");
/** Bits as variation selectors or joiners: what decodes to the order carries none of its letters, so the carrier is looked for. */
export const CARRIERS =
  // oxlint-disable-next-line no-misleading-character-class -- the parts of such characters are what is meant
  /[\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{206F}\u{FE00}-\u{FE0E}\u{E0000}-\u{E01EF}\u{2800}\u{3164}]/u;

export const HIDDEN_TEXT: readonly (readonly [name: string, body: string])[] = [
  ["comment", `A ${SHOWN}.\n<!-- ${HIDDEN} -->`],
  ["comment inside a line", `A <!-- ${HIDDEN} --> ${SHOWN}.`],
  ["comment over blank lines", `${SHOWN}\n\n<!--\n\n${HIDDEN}\n\n-->`],
  ["comment that never ends", `${SHOWN}\n\n<!-- ${HIDDEN}`],
  ["comment with a fence in it", `${SHOWN}\n\n<!--\n\`\`\`\n${HIDDEN}\n\`\`\`\n-->`],
  ["comment that begins in a paragraph and holds a fence", `${SHOWN} <!--\n\`\`\`\n${HIDDEN}\n\`\`\`\n-->`],
  ["comment split by a zero-width space", `${SHOWN} <\u200b!-- ${HIDDEN} -->`],
  ["comment after an escaped backtick", `${SHOWN} \\\`<!-- ${HIDDEN} -->\\\``],
  ["comment between backticks of two cells", `| a | b |\n|---|---|\n| ${SHOWN} \` | <!-- ${HIDDEN} --> \` |`],
  ["comment between backticks inside HTML", `<div>\n${SHOWN} \`<!-- ${HIDDEN} -->\`\n</div>`],
  [
    "comment in what is no fence inside HTML",
    `<details>\n${SHOWN}\n\`\`\`\n<!-- ${HIDDEN} -->\n\`\`\`\n</details>`,
  ],
  [
    "comment between a fence in a list and one outside",
    `- ${SHOWN}\n\n  \`\`\`\n  a\n\`\`\`\nb\n\`\`\`\n<!-- ${HIDDEN} -->\n`,
  ],
  ["comment after an indented fence", `${SHOWN}\n\n  \`\`\`\n\`\`\`\n\n<!-- ${HIDDEN} -->\n\n\`\`\`\n`],
  ["comment after a fence in a quotation", `> \`\`\`\n> ${SHOWN}\n\n\`\`\`\nx\n\`\`\`\n<!-- ${HIDDEN} -->`],
  ["comment with a closing mark in a value", `${SHOWN} <a title="-->"> <!-- ${HIDDEN} --> </a>`],
  ["declaration", `${SHOWN} <!DOCTYPE ${HIDDEN}>`],
  ["processing instruction", `${SHOWN} <?php ${HIDDEN} ?>`],
  ["CDATA", `${SHOWN} <![CDATA[ ${HIDDEN} ]]>`],
  ["hidden element", `${SHOWN} <span hidden>${HIDDEN}</span>`],
  ["hidden element in another", `${SHOWN} <div hidden><div>a</div>${HIDDEN}</div>`],
  ["hidden element over paragraphs", `${SHOWN}\n\n<div hidden>\n\n**${HIDDEN}**\n\n</div>`],
  ["hidden element with code in it", `${SHOWN}\n\n<div hidden>\n\n\`\`\`\n${HIDDEN}\n\`\`\`\n\n</div>`],
  ["hidden element whose end stands in code", `${SHOWN}\n\n<div hidden>\n\n\`</div>\` ${HIDDEN}\n\n</div>`],
  ["hidden element whose end is escaped", `${SHOWN}\n\n<div hidden>\n\n\\</div> ${HIDDEN}\n\n</div>`],
  ["hidden element whose end has an attribute", `${SHOWN}\n\n<div hidden>\n\na </div x> ${HIDDEN}\n\n</div>`],
  ["hidden element in capitals with a value", `${SHOWN} <SPAN HIDDEN="hidden">${HIDDEN}</SPAN>`],
  ["hidden element that never ends", `${SHOWN}\n\n<p hidden>\n\n${HIDDEN}`],
  ["style that shows nothing", `${SHOWN} <span style="display: none">${HIDDEN}</span>`],
  ["style without height", `${SHOWN} <span style="font-size:0px">${HIDDEN}</span>`],
  ["style out of the page", `${SHOWN} <span style="position:absolute;left:-9999px">${HIDDEN}</span>`],
  ["script", `${SHOWN}\n\n<script>\n\n${HIDDEN}\n\n</script>`],
  ["template", `${SHOWN} <template>${HIDDEN}</template>`],
  ["drawing of its own", `${SHOWN} <svg><desc>${HIDDEN}</desc></svg>`],
  [
    "letters too small to read",
    `${SHOWN} <sub><sub><sub><sub><sub><sub>${HIDDEN}</sub></sub></sub></sub></sub></sub>`,
  ],
  ["attribute", `<a href="https://example.org" title="${HIDDEN}">${SHOWN}</a>`],
  ["attribute with a bracket in it", `<a href="x" title="a > ${HIDDEN}">${SHOWN}</a>`],
  ["attribute behind a stray quote", `<div a" title="> ${HIDDEN}">\n${SHOWN}\n</div>`],
  ["attribute over paragraphs", `${SHOWN}\n\n<div title="\n\n${HIDDEN}\n\n">\n`],
  ["attribute without quotes", `<abbr title=${HIDDEN}>${SHOWN}</abbr>`],
  ["attribute of a tag that only browsers know", `<div>\n<x, title="${HIDDEN}">${SHOWN}\n</div>`],
  ["data attribute", `<p data-note='${HIDDEN}'>${SHOWN}</p>`],
  ["alternative text of an image", `${SHOWN} ![${HIDDEN}](https://example.org/a.png)`],
  ["alternative text with brackets", `${SHOWN} ![a [b](c) ${HIDDEN}](https://example.org/a.png)`],
  ["alternative text by reference", `${SHOWN} ![${HIDDEN}][pic]\n\n[pic]: https://example.org/a.png`],
  ["alternative text of an HTML image", `${SHOWN} <img src="a.png" alt="a > ${HIDDEN}">`],
  ["address of an image", `${SHOWN} ![](https://example.org/${HIDDEN}.png)`],
  ["title of an image", `${SHOWN} ![](a.png "${HIDDEN}")`],
  ["title of a link", `[${SHOWN}](https://example.org "${HIDDEN}")`],
  ["title of a link on the next line", `[${SHOWN}](https://example.org\n'${HIDDEN}')`],
  ["title of a link in brackets", `[${SHOWN}](<https://example.org> (${HIDDEN}))`],
  ["comment as a link's definition", `${SHOWN}\n\n[//]: # (${HIDDEN})`],
  ["definition with its title on the next line", `${SHOWN}\n\n[a]: https://example.org\n  "${HIDDEN}"`],
  ["definition with an empty address", `${SHOWN}\n\n[comment]: <> (${HIDDEN})`],
  ["definition in a quotation", `${SHOWN}\n\n> [a]: b "${HIDDEN}"`],
  ["footnote that nothing refers to", `${SHOWN}\n\n[^1]: first ${HIDDEN}\n    and ${HIDDEN}`],
  ["word behind a fence's language", `${SHOWN}\n\n\`\`\`js ${HIDDEN}\nx\n\`\`\``],
  ["word behind an indented fence's language", `${SHOWN}\n\n   ~~~js ${HIDDEN}\nx\n~~~`],
  ["comment of a diagram", `${SHOWN}\n\n\`\`\`mermaid\ngraph TD\n%% ${HIDDEN}\n\`\`\``],
  ["phantom of a formula", `${SHOWN} $\\phantom{${HIDDEN}}$`],
  ["colour of a formula", `${SHOWN}\n\n$$\n\\color{white}{${HIDDEN}}\n$$`],
  ["phantom of a formula in backticks", `${SHOWN} $\`\\hphantom{${HIDDEN}}\`$`],
  ["tag characters", `${SHOWN}${tags(HIDDEN)}`],
  ["tag characters in code", `\`\`\`\n${SHOWN}${tags(HIDDEN)}\n\`\`\``],
  ["zero-width bits", `${SHOWN}${"\u200b\u200c\u200d\u2060\ufeff".repeat(20)}`],
  ["variation selectors", `${SHOWN}😀${"\u{fe01}\u{e0150}".repeat(20)}`],
  ["joiners and emoji selectors as bits", `${SHOWN}${"\u200d\ufe0f".repeat(40)}`],
  ["text that runs the other way", `${SHOWN} \u202e${"SIHTYEBO"}\u202c`],
  ["fillers and blanks of Braille", `${SHOWN}${"\u3164\u2800\u115f".repeat(20)}`],
  ["entities of invisible characters", `${SHOWN}&#x200b;&#xE0041;&#917577;&ZeroWidthSpace;&zwj;`],
  ["controls of a terminal", `${SHOWN} \u001b[8m${"x"}\u001b[0m\u0007`],
];

/** What stays as it is: a text is no use to an agent when it is mangled. */
export const KEPT: readonly (readonly [name: string, body: string])[] = [
  [
    "code with markup",
    'Broken:\n\n```html\n<!-- keep me -->\n<div class="a" hidden>b</div>\n```\n\nThat is all.',
  ],
  ["inline code", 'The parser stops at `<!--` and at `<div class="a">` here.'],
  ["generic types", "Use `Map` or Map<string, number> and Vec<T>."],
  ["comparisons", "if (a < b && c > d) and a <b && c> d"],
  [
    "addresses",
    "See https://example.org/a?b=c and <https://example.org/d> or [this](https://example.org/e).",
  ],
  ["emoji of several parts", "👩‍💻 and 🏳️‍🌈 and ❤️ and 1️⃣"],
  ["Japanese", "お品書きを日本語で表示する。値段は「600円」と書きます。"],
  ["formulas", "It costs $5 or $6, and $x^2 + y^2$ is fine."],
  ["lists and tables", "- [ ] one\n- [x] two\n\n| a | b |\n|---|---|\n| `c` | d |"],
  ["details", "<details>\n<summary>Log</summary>\n\n```\nerror: x\n```\n\n</details>"],
];
