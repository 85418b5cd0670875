import net from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFakeClock, systemClock } from "../../base/index.ts";
import { isPublicAddress } from "./addresses.ts";
import { normaliseHost, parseAllowList } from "./allow-list.ts";
import { createGate, type Denial, type Gate } from "./gate.ts";
import type { EgressNetwork } from "./network.ts";

describe("parseAllowList", () => {
  it("allows exact names and subdomains of wildcards, in any spelling", () => {
    const list = parseAllowList(["Registry.Example.org", "*.pkg.example.org", "例え.example.org"]);
    for (const host of [
      "registry.example.org",
      "REGISTRY.example.ORG.",
      "a.b.pkg.example.org",
      "xn--r8jz45g.example.org",
    ])
      expect([host, list.allows(host)]).toEqual([host, true]);
    for (const host of [
      "example.org",
      "pkg.example.org",
      "evilpkg.example.org",
      "registry.example.org.evil.org",
      "",
    ])
      expect([host, list.allows(host)]).toEqual([host, false]);
  });

  it("allows nothing when empty", () => {
    expect(parseAllowList([]).allows("example.org")).toBe(false);
  });

  it.each([
    "*",
    "*.org",
    "10.0.0.1",
    "*.*.org",
    "http://example.org",
    "example.org:443",
    "localhost",
    "",
    "a..b",
  ])("refuses the entry %j", (entry) => {
    expect(() => parseAllowList([entry])).toThrow(
      expect.objectContaining({ code: "config.invalid" }) as Error,
    );
  });
});

describe("normaliseHost", () => {
  it.each([
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "[::1]",
    "::1",
    "１２７.0.0.1",
    "a b",
    "-a.org",
  ])("takes %j for no name", (host) => {
    expect(normaliseHost(host)).toBeNull();
  });
});

describe("isPublicAddress", () => {
  it.each(["8.8.8.8", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:2800:21f:cb07::1"])(
    "takes %s for public",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it.each([
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"],
    ...["192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "255.255.255.255", "168.63.129.16"],
    ...[
      "::",
      "::1",
      "fe80::1",
      "fe80::1%eth0",
      "fc00::1",
      "fd00:ec2::254",
      "ff02::1",
      "::ffff:8.8.8.8",
      "::ffff:7f00:1",
    ],
    ...[
      "64:ff9b::7f00:1",
      "64:ff9b:1::1",
      "2002:7f00:1::",
      "2001::1",
      "2001:db8::1",
      "::127.0.0.1",
      "name",
      "",
    ],
  ])("refuses %s", (address) => expect(isPublicAddress(address)).toBe(false));
});

function setup(network: Partial<EgressNetwork>): { readonly gate: Gate; readonly denials: Denial[] } {
  const denials: Denial[] = [];
  const gate = createGate({
    allowList: parseAllowList(["example.org"]),
    clock: systemClock,
    onDenied: (denial) => denials.push(denial),
    network: {
      resolve: () => Promise.resolve(["93.184.215.14"]),
      connect: () => {
        throw new Error("must not connect");
      },
      ownAddresses: () => [],
      ...network,
    },
  });
  return { gate, denials };
}

describe("createGate", () => {
  it("connects to the public one among the addresses and to no other", async () => {
    const server = net.createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const asked: string[] = [];
    const { gate, denials } = setup({
      resolve: () => Promise.resolve(["127.0.0.1", "93.184.215.14"]),
      connect: ({ address }) => {
        asked.push(address);
        return net.connect(port, "127.0.0.1");
      },
    });
    const result = await gate.open("EXAMPLE.org.", 443);
    expect(result.outcome).toBe("connected");
    if (result.outcome === "connected") result.socket.destroy();
    expect(asked).toEqual(["93.184.215.14"]);
    expect(denials).toEqual([]);
  });

  it("refuses an address of this machine even where it is public", async () => {
    const { gate } = setup({ ownAddresses: () => ["93.184.215.14"] });
    expect((await gate.open("example.org", 443)).outcome).toBe("denied");
  });

  it("reports each refused host once", async () => {
    const { gate, denials } = setup({});
    for (const host of ["evil.org", "evil.org", "10.0.0.1"]) await gate.open(host, 443);
    await gate.open("example.org", 22);
    expect(denials.map(({ host, port }) => `${host}:${port}`)).toEqual([
      "evil.org:443",
      "10.0.0.1:443",
      "example.org:22",
    ]);
  });

  it("tells a name without an answer from a refused one", async () => {
    const { gate, denials } = setup({ resolve: () => Promise.reject(new Error("no such name")) });
    expect(await gate.open("example.org", 443)).toMatchObject({ outcome: "failed" });
    expect(denials).toEqual([]);
  });

  it("gives up on a resolver that does not answer", async () => {
    const clock = createFakeClock();
    const gate = createGate({
      allowList: parseAllowList(["example.org"]),
      clock,
      onDenied: () => {},
      network: {
        resolve: () => new Promise(() => {}),
        connect: () => net.connect(1),
        ownAddresses: () => [],
      },
    });
    const result = gate.open("example.org", 443);
    clock.advance(10_000);
    expect(await result).toMatchObject({ outcome: "failed" });
  });
});
