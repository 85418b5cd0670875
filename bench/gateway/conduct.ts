import { Client, request } from "undici";
import { startFaultyUpstream } from "../../test/support/faulty-upstream.ts";
import { RUN_KEY, seedRun, startGateway } from "../../test/support/gateway-under-test.ts";
import { openBenchDatabase } from "../database.ts";
import { atLeast, noGoal, type Result } from "../result.ts";
import { CONDUCT_CASES, type ConductCase, type Got, type Subject } from "./conduct-cases.ts";
import { openCores } from "./cores.ts";
import { startPortkey } from "./peers.ts";
import { installPortkey } from "./portkey.ts";

type Providers = Pick<Subject, "first" | "second">;
/** Builds the gateway in front of two providers that were just started; null: it is not there. */
type Build = (providers: Providers) => Promise<{
  readonly url: string;
  readonly headersOf: (route: "alone" | "routed") => Readonly<Record<string, string>>;
  close(): Promise<void>;
}>;

export interface Conduct {
  readonly name: string;
  readonly ours: boolean;
  /** Null: it is not there. */
  readonly portkey: boolean | null;
}

const FIRST_BYTE_MS = 400;
const LONGEST_CALL_MS = 5_000;
const GONE_MS = 2_000;

/** The same faults for our gateway and for Portkey's, each with fresh providers; both with retries, failover and timeouts on. */
export async function compareConduct(note: (text: string) => void): Promise<readonly Conduct[]> {
  const bench = await openBenchDatabase(5);
  await seedRun(bench.database);
  const ours: Build = async ({ first, second }) => {
    const { url, close } = await startGateway({
      database: bench.database,
      settings: {
        providers: {
          openai: { baseUrl: first.origin },
          second: { kind: "openai-compatible", baseUrl: `${second.origin}/v1` },
        },
        routes: {
          routed: {
            targets: [
              { provider: "openai", model: "gpt-5" },
              { provider: "second", model: "gpt-5" },
            ],
          },
        },
        retry: { baseMs: 20, maxWaitMs: 1_500 },
        timeouts: { firstByteMs: FIRST_BYTE_MS, idleMs: FIRST_BYTE_MS },
      },
    });
    return { url, close, headersOf: () => ({ "x-api-key": RUN_KEY }) };
  };
  const installed = await installPortkey(note);
  const peer =
    "program" in installed
      ? await startPortkey(installed.program, { upstreamPort: 0, cores: await openCores(), note })
      : null;
  if ("skipped" in installed) note(`portkey: skipped: ${installed.skipped}`);
  const portkey: Build | null =
    peer === null
      ? null
      : async ({ first, second }) => ({
          url: `http://127.0.0.1:${peer.target.port}`,
          close: async () => {},
          headersOf: (route) => ({
            "x-portkey-config": portkeyConfig(
              (route === "alone" ? [first] : [first, second]).map(({ origin }) => `${origin}/v1`),
            ),
          }),
        });
  try {
    const seen: Conduct[] = [];
    for (const one of CONDUCT_CASES) {
      note(one.name);
      seen.push({
        name: one.name,
        ours: await tryOut(one, ours),
        portkey: portkey === null ? null : await tryOut(one, portkey),
      });
    }
    return seen;
  } finally {
    await peer?.stop();
    await bench.close();
  }
}

/** All that it offers against faults: retries that honour `Retry-After`, failover, a timeout. */
function portkeyConfig(hosts: readonly string[]): string {
  return JSON.stringify({
    strategy:
      hosts.length > 1
        ? { mode: "fallback", on_status_codes: [401, 403, 408, 429, 500, 502, 503, 504] }
        : { mode: "single" },
    retry: { attempts: 2, on_status_codes: [429, 500, 502, 503, 504], use_retry_after_header: true },
    request_timeout: FIRST_BYTE_MS,
    targets: hosts.map((host) => ({ provider: "openai", api_key: "sk-benchmark", custom_host: host })),
  });
}

async function tryOut(one: ConductCase, build: Build): Promise<boolean> {
  const [first, second] = await Promise.all([startFaultyUpstream(), startFaultyUpstream()]);
  const gateway = await build({ first, second });
  try {
    return await one.isRight({
      first,
      second,
      call: (route, over = {}) => call(gateway.url, gateway.headersOf(route), modelOf(route), over),
      leave: () => leave(gateway.url, gateway.headersOf("alone"), first),
    });
  } finally {
    await gateway.close();
    await Promise.all([first.close(), second.close()]);
  }
}

/** Portkey routes by its configuration; ours by the model's name. */
const modelOf = (route: "alone" | "routed"): string => (route === "alone" ? "gpt-5" : "routed");
const bodyOf = (model: string, over: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...over });

async function call(
  url: string,
  headers: Readonly<Record<string, string>>,
  model: string,
  over: Readonly<Record<string, unknown>>,
): Promise<Got> {
  const fromMs = performance.now();
  const got = { status: 0, headers: {}, text: "", clean: false };
  try {
    const response = await request(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: bodyOf(model, over),
      signal: AbortSignal.timeout(LONGEST_CALL_MS),
    });
    Object.assign(got, { status: response.statusCode, headers: response.headers });
    for await (const part of response.body) got.text += String(part);
    got.clean = true;
  } catch {
    // Whatever broke is what is judged.
  }
  return { ...got, ms: performance.now() - fromMs };
}

async function leave(
  url: string,
  headers: Readonly<Record<string, string>>,
  provider: Subject["first"],
): Promise<number> {
  const client = new Client(url);
  const response = await client.request({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { "content-type": "application/json", ...headers },
    body: bodyOf("gpt-5", { stream: true }),
  });
  response.body.on("error", () => {});
  await new Promise((resolve) => response.body.once("data", resolve));
  const goneMs = performance.now();
  await client.destroy();
  const aborted = provider.calls.at(-1)?.aborted ?? Promise.resolve(Infinity);
  const late = new Promise<number>((resolve) => setTimeout(() => resolve(Infinity), GONE_MS));
  return (await Promise.race([aborted, late])) - goneMs;
}

export function conductResults(seen: readonly Conduct[]): readonly Result[] {
  return seen.flatMap(({ name, ours, portkey }) => [
    atLeast(1, { name: `ours: ${name}`, value: Number(ours), unit: "right" }),
    ...(portkey === null
      ? []
      : [noGoal({ name: `portkey: ${name}`, value: Number(portkey), unit: "right" })]),
  ]);
}

export function conductTable(seen: readonly Conduct[]): string {
  const width = Math.max(...seen.map(({ name }) => name.length));
  const word = (right: boolean | null): string => (right === null ? "–" : right ? "right" : "WRONG");
  const row = (name: string, ours: string, portkey: string): string =>
    `${name.padEnd(width)}  ${ours.padEnd(7)}  ${portkey}`.trimEnd() + "\n";
  const count = (of: (one: Conduct) => boolean | null): string =>
    `${seen.filter((one) => of(one) === true).length}/${seen.length}`;
  return [
    row("", "ours", "Portkey"),
    ...seen.map(({ name, ours, portkey }) => row(name, word(ours), word(portkey))),
    row(
      "right",
      count((one) => one.ours),
      seen.every((one) => one.portkey === null) ? "–" : count((one) => one.portkey),
    ),
  ].join("");
}
