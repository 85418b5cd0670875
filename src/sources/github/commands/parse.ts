import { visibleText } from "../issue-text.ts";

export type Command =
  | { readonly name: "retry" | "stop" | "explain" | "use" | "approve" }
  | { readonly name: "priority"; readonly class: "P0" | "P1" | "P2" }
  /** USD × 10⁻⁶ */
  | { readonly name: "budget"; readonly micros: number }
  | { readonly name: "ask"; readonly text: string }
  /** `said`: what stands where the command should. */
  | { readonly name: "unknown"; readonly said: string };

const LINE = /^ {0,3}\/miyabi(?![\w/.-])[ \t]*(\S*)[ \t]*(.*)$/im;
const FENCED = /^ {0,3}(`{3,}|~{3,})[\s\S]*?(?:^ {0,3}\1|$(?![\s\S]))/gm;
const MAX_BUDGET_USD = 10_000;

/** The first command that begins a line of a comment, outside of quotes and code; null where there is none. Pure. */
export function parseCommand(body: string): Command | null {
  const text = visibleText(body).replace(FENCED, "");
  const found = LINE.exec(text);
  if (found === null) return null;
  const [, word = "", rest = ""] = found;
  const name = word.toLowerCase();
  const said = rest.trim();
  const unknown: Command = { name: "unknown", said: `${word} ${said}`.trim() };
  switch (name) {
    case "retry":
    case "stop":
    case "explain":
    case "use":
    case "approve":
      return said === "" ? { name } : unknown;
    case "priority": {
      const wanted = said.toUpperCase();
      return wanted === "P0" || wanted === "P1" || wanted === "P2" ? { name, class: wanted } : unknown;
    }
    case "budget": {
      const usd = Number(said.replace(/^\$\s*|\s*(?:\$|usd)$/gi, ""));
      return said !== "" && usd > 0 && usd <= MAX_BUDGET_USD
        ? { name, micros: Math.round(usd * 1_000_000) }
        : unknown;
    }
    case "ask": {
      // A question may go on for some lines.
      const question = text.slice(found.index + found[0].length - rest.length).trim();
      return question === "" ? unknown : { name, text: question.slice(0, 4_000) };
    }
    default:
      return unknown;
  }
}

export const COMMAND_LIST = [
  ["`/miyabi retry`", "tries again now, from the step that it is at"],
  ["`/miyabi stop`", "stops the task; what was done is kept"],
  ["`/miyabi explain`", "says why it is where it is, and what would move it"],
  ["`/miyabi use`", "takes the issue's text as it is now"],
  ["`/miyabi approve`", "approves what waits for an approval, or the pull request at its present commit"],
  ["`/miyabi priority P0`", "sets the class: P0, P1 or P2"],
  ["`/miyabi budget 5`", "what the task's model calls may cost together, in USD"],
  ["`/miyabi ask …`", "asks the agent that works on it; its answer is written here"],
]
  .map(([command = "", meaning = ""]) => `- ${command} ${meaning}`)
  .join("\n");
