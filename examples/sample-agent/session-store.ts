import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const session = z.object({
  sessionId: z.string(),
  cwd: z.string(),
  turns: z.array(z.object({ prompt: z.string(), said: z.string() })),
});
export type StoredSession = z.infer<typeof session>;

const MAX_TURNS = 100;

function fileOf(home: string, sessionId: string): string {
  if (!/^[0-9a-f-]{36}$/.test(sessionId)) throw new Error(`"${sessionId}" is no session of this agent.`);
  return path.join(home, ".sample-agent", "sessions", `${sessionId}.json`);
}

/** Sessions live in the agent's private home, so that a new process continues them. A crash leaves the old or the new state. */
export async function saveSession(home: string, stored: StoredSession): Promise<void> {
  const file = fileOf(home, stored.sessionId);
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify({ ...stored, turns: stored.turns.slice(-MAX_TURNS) }));
  await rename(temporary, file);
}

/** @throws Error where there is no such session. */
export async function loadSession(home: string, sessionId: string): Promise<StoredSession> {
  return session.parse(JSON.parse(await readFile(fileOf(home, sessionId), "utf8")));
}
