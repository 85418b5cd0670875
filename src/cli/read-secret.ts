import { isCancel, password } from "@clack/prompts";
import { AppError } from "../base/index.ts";

const LONGEST = 20_000;

/** A secret that never stands on a command line: asked for without echo, or read from standard input. @throws usage.invalid */
export async function readSecret(what: string): Promise<string> {
  const text = process.stdin.isTTY ? await askFor(what) : await readAll();
  if (text.trim() === "")
    throw new AppError({ code: "usage.invalid", message: `${what}: nothing was given.` });
  return text.trim();
}

async function askFor(what: string): Promise<string> {
  const text = await password({ message: what });
  return isCancel(text) ? "" : text;
}

async function readAll(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > LONGEST)
      throw new AppError({ code: "usage.invalid", message: "What was given is too long for a key." });
  }
  return text;
}
