import type { Socket } from "node:net";
import { messageOf, type Clock } from "../../base/index.ts";
import { isPublicAddress } from "./addresses.ts";
import { normaliseHost, type AllowList } from "./allow-list.ts";
import type { EgressNetwork } from "./network.ts";

/** An attempt to reach something that is not allowed. */
export interface Denial {
  /** As the agent wrote it (untrusted), at most 255 characters. */
  readonly host: string;
  readonly port: number;
  /** One sentence for people. */
  readonly reason: string;
}

interface GateParams {
  readonly allowList: AllowList;
  readonly network: EgressNetwork;
  readonly clock: Clock;
  readonly onDenied: (denial: Denial) => void;
}

export type GateResult =
  | { readonly outcome: "connected"; readonly socket: Socket }
  | { readonly outcome: "denied"; readonly reason: string }
  /** Allowed, but it has no address or does not answer. */
  | { readonly outcome: "failed"; readonly reason: string };

export interface Gate {
  open(host: string, port: number): Promise<GateResult>;
}

const ALLOWED_PORTS = [443, 80];
const RESOLVE_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 15_000;
const MAX_REPORTED = 200;

/**
 * The one way to the internet: checks name and port, resolves the name itself and connects to the very address that it
 * checked, so that a name cannot change its meaning in between. Each host is reported once.
 */
export function createGate(params: Readonly<GateParams>): Gate {
  const reported = new Set<string>();
  const deny = (host: string, port: number, reason: string): GateResult => {
    const shown = host.slice(0, 255);
    const key = `${shown}:${port}`;
    if (!reported.has(key) && reported.size < MAX_REPORTED) {
      reported.add(key);
      params.onDenied({ host: shown, port, reason });
    }
    return { outcome: "denied", reason };
  };

  return {
    open: async (host, port) => {
      const name = normaliseHost(host);
      if (name === null) return deny(host, port, "Only host names can be reached, no addresses.");
      if (!ALLOWED_PORTS.includes(port))
        return deny(host, port, `Port ${port} is closed; 443 and 80 are open.`);
      if (!params.allowList.allows(name))
        return deny(host, port, `${name} is not on this repository's egress allow-list.`);
      let addresses: readonly string[];
      try {
        addresses = await withTimeout(params, params.network.resolve(name));
      } catch (error) {
        return { outcome: "failed", reason: `${name} could not be resolved: ${messageOf(error)}` };
      }
      const own = new Set(params.network.ownAddresses());
      const address = addresses.find((candidate) => isPublicAddress(candidate) && !own.has(candidate));
      if (address === undefined) return deny(host, port, `${name} leads to no public address.`);
      return connected(params.network.connect({ address, port }), name);
    },
  };
}

async function withTimeout<T>({ clock }: Readonly<GateParams>, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const limit = clock.sleep(RESOLVE_TIMEOUT_MS, done.signal).then(() => {
    throw new Error("no answer");
  });
  limit.catch(() => {});
  return Promise.race([work, limit]).finally(() => done.abort());
}

function connected(socket: Socket, name: string): Promise<GateResult> {
  return new Promise((resolve) => {
    const fail = (reason: string): void => {
      socket.destroy();
      resolve({ outcome: "failed", reason: `${name} could not be reached: ${reason}` });
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail("no answer"));
    socket.once("error", (error) => fail(error.message));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.removeAllListeners("timeout");
      socket.setTimeout(0);
      resolve({ outcome: "connected", socket });
    });
  });
}
