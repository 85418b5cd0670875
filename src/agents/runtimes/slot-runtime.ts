/**
 * Where the agent hosts of this machine run: panes of tmux, or plain detached processes. A slot has at most one process.
 * Both kinds outlive the program that started them; whoever comes next finds them again with `list`. All methods are safe
 * to repeat and put up with a server, pane or process that somebody killed.
 */
export interface SlotRuntime {
  readonly kind: "tmux" | "process";
  /**
   * Makes the runtime usable: starts the tmux server where none answers.
   * @throws tool.missing where tmux is absent or too old, with the install command as its fix.
   */
  ensureServer(): Promise<void>;
  /** All slots that have a pane or a registered process, also dead ones. Empty where nothing runs, also without a server. */
  list(): Promise<readonly SlotProcess[]>;
  /** Starts the slot's program; a live one is left as it is and returned, a dead one is replaced in its place. */
  start(params: Readonly<StartSlot>): Promise<SlotProcess>;
  /** Kills the slot's program (SIGKILL, confirmed) and starts it again in the same place. Starts it where none was. */
  restart(params: Readonly<StartSlot>): Promise<SlotProcess>;
  /** Ends the slot: SIGTERM, SIGKILL after `graceMs` (default 2000), then its pane goes. Resolves when the process is dead. */
  stop(slot: string, graceMs?: number): Promise<void>;
  /** What the slot shows now, with ANSI colour sequences; null where the slot has nothing. */
  capture(slot: string): Promise<SlotScreen | null>;
  /** Shell command with which a person sees the slot; null where there is nothing to attach to. */
  attachCommand(slot: string): Promise<string | null>;
  /** Ends every slot and the server. */
  stopAll(): Promise<void>;
}

export interface StartSlot {
  /** Small letters, digits and dashes. */
  readonly slot: string;
  /** Shown on the pane's border, e.g. `Kaede カエデ · code`. */
  readonly title: string;
  /** `#rrggbb`; anything else shows uncoloured. */
  readonly color: string;
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** The whole environment of the program, apart from what the terminal adds. Shows in process listings: no secrets. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SlotProcess {
  readonly slot: string;
  readonly pid: number;
  readonly dead: boolean;
}

export interface SlotScreen {
  readonly columns: number;
  readonly rows: number;
  readonly content: string;
}
