import readline from "node:readline";
import type { Readable } from "node:stream";
import { cleanText, spawnProcess } from "../../../base/index.ts";
import type { TranscriptItem } from "../../../contract/index.ts";
import type { ConnectionState } from "../connection.ts";
import type { Terminal } from "../takeover.ts";
import { renderItem } from "./render.ts";
import { createStyle } from "./style.ts";
import { fitText } from "./text-width.ts";

/** Standard output as far as a pane needs it. */
export interface PaneOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

interface PaneParams {
  /** e.g. `Kaede カエデ`. */
  readonly name: string;
  readonly role: string;
  readonly color: string;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: PaneOutput;
}

/** What a person sees of a host: a readable transcript above an input line, or the conductor's view. */
export interface Pane extends Terminal {
  show(item: TranscriptItem): void;
  busy(taskId: string, title: string, step: string): void;
  /** `text`: why the last run went, or null. */
  idle(text: string | null): void;
  /** The conductor's full-screen view. */
  view(text: string): void;
  hint(text: string): void;
  connection(state: ConnectionState): void;
  onLine(listener: (line: string) => void): void;
  close(): void;
}

const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 40;
/** Colours may stay in the conductor's view, everything else that a terminal acts on may not. */
const COLORS = /\x1b\[[0-9;]*m/g;

/**
 * Undoes the raw mode that a killed program leaves behind; the input line would otherwise take it for the terminal's usual mode,
 * and lend it to the next program. From a background group the change needs SIGTTOU ignored.
 */
function resetTerminal(): Promise<void> {
  return new Promise((resolve) => {
    const child = spawnProcess("/bin/sh", ["-c", "trap '' TTOU; exec stty sane iutf8"], {
      stdio: ["inherit", "ignore", "ignore"],
    });
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  });
}

export function createPane(params: Readonly<PaneParams>): Pane {
  const { input, output } = params;
  const isInteractive = output.isTTY === true && input.isTTY === true;
  const style = createStyle(params.color, true);
  const listeners: ((line: string) => void)[] = [];
  let once: ((line: string) => void)[] = [];
  let held: string[] | null = null;
  let state: ConnectionState = "connected";
  let line = openInput();

  function createInput(): readline.Interface | null {
    try {
      return readline.createInterface({
        input,
        output: process.stdout,
        prompt: style.agent("› "),
        historySize: 100,
        terminal: true,
      });
    } catch {
      // A program may have left the terminal in other hands; what happens is shown all the same.
      return null;
    }
  }

  function openInput(): readline.Interface | null {
    if (!isInteractive) return null;
    const opened = createInput();
    if (opened === null) return null;
    opened.on("line", (raw) => {
      const text = cleanText(raw).trim();
      const waiting = once;
      once = [];
      for (const resolve of waiting) resolve(text);
      if (text !== "" && waiting.length === 0) for (const listener of listeners) listener(text);
      opened.prompt();
    });
    // Ctrl-C in a pane is a slip of the hand, not the end of an agent.
    opened.on("SIGINT", () => {
      opened.write(null, { ctrl: true, name: "u" });
      print([style.dim("Ctrl-b d leaves this screen; miyabi task cancel TASK ends a task.")]);
    });
    opened.on("close", () => {});
    opened.prompt();
    return opened;
  }

  function print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (held !== null) {
      held.push(...lines);
      if (held.length > 500) held.splice(0, held.length - 500);
      return;
    }
    const text = `${lines.join("\n")}\n`;
    if (line === null) return void output.write(text);
    output.write(`\r\x1b[0J${text}`);
    line.prompt(true);
  }
  const columns = (): number => output.columns ?? DEFAULT_COLUMNS;

  return {
    isInteractive,
    show: (item) =>
      print(renderItem(item, { name: params.name.split(" ")[0] ?? params.name, style, columns: columns() })),
    busy: (taskId, title, step) =>
      print([
        "",
        style.agent(
          fitText(`━━ ${taskId} ${cleanText(title).replaceAll("\n", " ")} · ${step} `, columns() - 1),
        ),
      ]),
    idle: (text) =>
      print([
        ...(text === null ? [] : [style.dim(text)]),
        `${style.agent(params.name)} ${style.dim(`· ${params.role} — idle, waiting for work`)}`,
        ...(isInteractive
          ? [style.dim("While a task runs here, type a line and press Enter to talk to its agent.")]
          : []),
      ]),
    view: (text) => {
      if (held !== null) return;
      const rows = (output.rows ?? DEFAULT_ROWS) - 2;
      const lines = text.split("\n").slice(0, rows).map(safeLine);
      const body = lines.map((shown) => `${shown}\x1b[0m\x1b[K`).join("\n");
      if (line === null) return void output.write(`${lines.join("\n")}\n`);
      output.write(`\x1b[H${body}\n\x1b[0J`);
      line.prompt(true);
    },
    hint: (text) => print([style.dim(text)]),
    connection: (next) => {
      if (next === state) return;
      state = next;
      if (next === "away") print([style.dim("· the control plane is away; work goes on")]);
      if (next === "refused") print([style.red("· the control plane does not accept this host's token")]);
    },
    onLine: (listener) => void listeners.push(listener),
    nextLine: (signal) =>
      new Promise((resolve, reject) => {
        once.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
    lend: async (work) => {
      line?.close();
      line = null;
      input.pause();
      held = [];
      output.write("\x1b[2J\x1b[H");
      try {
        return await work();
      } finally {
        // The program may have died with the alternate screen, mouse reports or a hidden cursor on.
        output.write(
          "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m\x1b[2J\x1b[H",
        );
        await resetTerminal();
        const missed = held;
        held = null;
        line = openInput();
        print(missed);
      }
    },
    close: () => {
      line?.close();
      line = null;
    },
  };

  function safeLine(raw: string): string {
    const colors = raw.match(COLORS) ?? [];
    const plain = raw.split(COLORS).map(cleanText);
    return plain.map((part, index) => part + (colors[index] ?? "")).join("");
  }
}
