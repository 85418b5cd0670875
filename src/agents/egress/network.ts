import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

/** The internet as the egress proxy sees it. */
export interface EgressNetwork {
  /** All addresses of a name. Rejects where it has none. */
  resolve(host: string): Promise<readonly string[]>;
  /** Opens a connection to an address, never to a name. The caller owns the socket and its errors. */
  connect(params: { readonly address: string; readonly port: number }): Socket;
  /** Addresses of this machine's own interfaces: even a public one leads to services that mean to be local. */
  ownAddresses(): readonly string[];
}

export const systemNetwork: EgressNetwork = {
  resolve: async (host) => (await lookup(host, { all: true })).map((entry) => entry.address),
  connect: ({ address, port }) => connect({ host: address, port }),
  ownAddresses: () =>
    Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).map((entry) => entry.address),
    ),
};
