import { readFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { WebSocket } from "ws";
import type { TestInstallation } from "../support/installation.ts";

/** A way to the control plane that can be cut without either end being told. */
export interface CuttableLine {
  readonly port: number;
  cut(): void;
  close(): Promise<void>;
}

export async function openCuttableLine(targetPort: number): Promise<CuttableLine> {
  const sockets = new Set<net.Socket>();
  let isCut = false;
  const server = net.createServer((inside) => {
    sockets.add(inside);
    inside.on("error", () => {});
    if (isCut) return; // Taken, and never answered.
    const outside = net.connect(targetPort, "127.0.0.1");
    sockets.add(outside);
    outside.on("error", () => {});
    inside.pipe(outside);
    outside.pipe(inside);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    cut: () => {
      isCut = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly type: string;
  readonly runId?: string;
}

interface Late {
  readonly slot: string;
  readonly runId: string;
  readonly attempt: number;
}

/**
 * Speaks as a host that comes back late and still believes in its run: says all that such a host could say and hands
 * work over. `slot` is one that is idle, because a newer host has the run's own. Returns what it was answered.
 */
export async function speakLate(
  product: TestInstallation,
  late: Late,
): Promise<{ readonly answers: readonly Answer[]; readonly handover: number }> {
  for (let number = 1; ; number += 1) {
    try {
      return await speakOnce(product, late);
    } catch (error) {
      // The slot's own host wants it back, and may be quicker than the answers on a busy machine.
      if (number === 10) throw error;
    }
  }
}

async function speakOnce(product: TestInstallation, late: Late): ReturnType<typeof speakLate> {
  const token = (await readFile(path.join(product.home, "run", "host-token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const ofRun = { runId: late.runId, attempt: late.attempt };
  const socket = new WebSocket(`ws://127.0.0.1:${product.port}/api/hosts/connect`, { headers });
  const answers: Answer[] = [];
  const heard = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const onMessage = (): void => {
        if (answers.length < count) return;
        socket.off("close", onClose);
        resolve();
      };
      const onClose = (): void => reject(new Error(`the line closed after ${JSON.stringify(answers)}`));
      socket.on("message", onMessage);
      socket.once("close", onClose);
      onMessage();
    });
  socket.on("message", (data: Buffer) => answers.push(JSON.parse(data.toString("utf8")) as Answer));
  await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const say = (message: object): void => socket.send(JSON.stringify(message));
  say({
    type: "hello",
    version: 1,
    slot: late.slot,
    pid: process.pid,
    startTicks: "9".repeat(15),
    machine: "elsewhere",
    run: { ...ofRun, alive: true, lastSeq: 900 },
  });
  say({ type: "renew", ...ofRun });
  say({ type: "started", ...ofRun, sandbox: null, agentSessionId: "late", resumed: false });
  say({
    type: "transcript",
    ...ofRun,
    items: [{ seq: 900, at: new Date().toISOString(), body: { kind: "text", text: "late" } }],
  });
  say({ type: "taken-over", ...ofRun });
  say({
    type: "finished",
    ...ofRun,
    result: {
      outcome: "succeeded",
      code: null,
      message: "late",
      verdict: "done",
      notes: "late",
      commit: null,
      exitCode: 0,
      tokensIn: null,
      tokensOut: null,
      quotaResetAt: null,
      log: "late",
    },
  });
  await heard(6);
  socket.terminate();
  const handover = await fetch(
    `http://127.0.0.1:${product.port}/api/hosts/runs/${late.runId}/bundle?attempt=${late.attempt}`,
    { method: "PUT", headers: { ...headers, "content-type": "application/octet-stream" }, body: "late" },
  );
  return { answers, handover: handover.status };
}
