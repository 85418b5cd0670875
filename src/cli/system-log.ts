import { readdir } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { parseJson, readFileIfExists, resolveHome } from "../base/index.ts";
import type { CommandContext } from "./context.ts";
import { oneLine } from "./table.ts";

const entry = z.looseObject({
  time: z.string(),
  level: z.string(),
  name: z.string(),
  msg: z.string().default(""),
});
const SHOWN_ELSEWHERE = new Set(["time", "level", "name", "msg", "pid"]);

/** Prints the last lines of the product's own log files, merged by time. Needs nothing that runs. */
export async function printSystemLog({ output, env }: CommandContext, lines: number): Promise<void> {
  const { logsDir } = resolveHome(env);
  const names = (await readdir(logsDir).catch(() => [])).filter((name) => name.endsWith(".log"));
  const texts = await Promise.all(names.map((name) => readFileIfExists(path.join(logsDir, name))));
  const entries = texts
    .flatMap((text) => (text ?? "").split("\n"))
    .flatMap((line) => {
      const parsed = entry.safeParse(parseJson(line));
      return parsed.success ? [parsed.data] : [];
    })
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .slice(-lines);
  if (entries.length === 0) output.note(`No log is in ${logsDir} yet.`);
  for (const one of entries) {
    const facts = Object.entries(one)
      .filter(([field]) => !SHOWN_ELSEWHERE.has(field))
      .map(([field, value]) => `${field}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    output.result(
      one,
      oneLine(`${one.time} ${one.level.padEnd(5)} ${one.name}: ${one.msg}  ${facts.join(" ")}`),
    );
  }
}
