import { cutText, messageOf } from "../../../base/index.ts";
import type { AgentProcess, DriverParams, TurnOutcome } from "../../driver.ts";
import { createTail } from "../tail.ts";
import { classifyFailure, classifyNotice } from "../failure.ts";
import { createCommandOutput, type CommandOutput } from "./output.ts";
import { readResult } from "./result-file.ts";

const STDERR_TAIL_BYTES = 8 * 1024;
const MAX_DETAIL_BYTES = 8 * 1024;
/** A child that keeps the output open after its parent is gone does not keep the turn open. */
const OUTPUT_SETTLE_MS = 1_000;

interface TurnParams {
  readonly driver: Readonly<DriverParams>;
  readonly start: () => Promise<AgentProcess>;
  /** For standard input. */
  readonly input: string;
}

export interface TurnProcess {
  /** Never rejects. */
  readonly outcome: Promise<TurnOutcome>;
  /** Ends the program at once: no way to ask for it reaches every program, also inside a sandbox. */
  cancel(): Promise<void>;
}

/** Starts the program for one prompt and follows it to its end. */
export function runTurn(params: Readonly<TurnParams>): TurnProcess {
  const stop = new AbortController();
  let program: AgentProcess | null = null;
  const kill = async (): Promise<void> => {
    stop.abort();
    await program?.kill().catch(() => {});
  };
  const onAbort = (): void => void kill();
  const { signal } = params.driver;
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) stop.abort();

  const follow = async (): Promise<TurnOutcome> => {
    try {
      if (stop.signal.aborted) return { outcome: "cancelled" };
      program = await params.start();
      if (stop.signal.aborted) await kill();
      return await followProgram(params, program, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return { outcome: "cancelled" };
      return { outcome: "broken", detail: `${params.driver.profile.title}: ${messageOf(error)}` };
    } finally {
      signal.removeEventListener("abort", onAbort);
      await program?.kill().catch(() => {});
    }
  };
  return { outcome: follow(), cancel: kill };
}

async function followProgram(
  { driver, input }: Readonly<TurnParams>,
  program: AgentProcess,
  stopped: AbortSignal,
): Promise<TurnOutcome> {
  const { profile, clock, onEvent } = driver;
  const output = createCommandOutput({ format: profile.output, clock, onEvent });
  const stderr = createTail(STDERR_TAIL_BYTES);
  program.stdout.on("data", output.push);
  program.stderr.on("data", stderr.push);
  program.stdin.on("error", () => {}); // A program that reads no input may close it.
  program.stdin.end(input);
  const closed = new Promise<void>((resolve) => {
    program.stdout.once("close", resolve);
    program.stdout.once("error", () => resolve());
  });
  const exit = await program.exited;
  const timer = new AbortController();
  await Promise.race([closed, clock.sleep(OUTPUT_SETTLE_MS, timer.signal).catch(() => {})]);
  timer.abort();
  output.end();
  if (stopped.aborted) return { outcome: "cancelled" };
  return outcomeOf(driver, output, stderr.text(), exit);
}

async function outcomeOf(
  { profile, clock, home }: Readonly<DriverParams>,
  output: CommandOutput,
  stderr: string,
  exit: Awaited<AgentProcess["exited"]>,
): Promise<TurnOutcome> {
  const failed = exit.code !== 0 || output.error() !== null;
  const words = `${output.error() ?? ""}\n${output.lastText().slice(-400)}`;
  const failure = failed
    ? classifyFailure(`${words}\n${stderr}`, clock.now())
    : classifyNotice(output.lastText(), clock.now());
  if (failure?.kind === "quota")
    return { outcome: "quota", resetAt: failure.resetAt, detail: failure.detail };
  const ending =
    exit.signal === null ? `It exited with code ${exit.code}.` : `It was ended by ${exit.signal}.`;
  const said = [output.error() ?? "", stderr === "" ? "" : `Its standard error ends with:\n${stderr}`]
    .filter((part) => part !== "")
    .join("\n");
  const broken = (detail: string): TurnOutcome => ({
    outcome: "broken",
    detail: cutText(`${profile.title}: ${detail}`, MAX_DETAIL_BYTES),
  });
  if (failure?.kind === "authentication")
    return broken(`it is not signed in or its key was refused. ${ending}\n${said}`);
  if (failed) return broken(`${ending}\n${said}`);
  const result = await readResult(home);
  if (result.kind === "invalid") return broken(`$MIYABI_RESULT is not valid: ${result.detail}`);
  return {
    outcome: "ended",
    tokensIn: output.usage()?.tokensIn ?? null,
    tokensOut: output.usage()?.tokensOut ?? null,
    verdict: result.kind === "result" ? result.verdict : null,
    notes: result.kind === "result" ? result.notes : null,
  };
}
