import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { addRepository, passChecks } from "../github-server/people.ts";
import { startGitHubServer, type GitHubServer } from "../github-server/server.ts";
import type { Repository } from "../github-server/state.ts";
import { createInstallation, freePort, type TestInstallation } from "./installation.ts";
import { waitUntilIdle } from "./task-facts.ts";

/** The product beside a GitHub server, with one repository that both know. */
export interface HostedProduct {
  readonly server: GitHubServer;
  readonly repository: Repository;
  readonly product: TestInstallation;
  /** Ends both and removes what they kept. */
  close(): Promise<void>;
}

interface HostedParams {
  /** `owner/name`. */
  readonly name: string;
  /** Makes the repository that is put on the server, in an empty directory. */
  readonly fill: (directory: string) => Promise<void>;
  readonly people: Readonly<Record<string, string>>;
  /** Of the section `github.repositories`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** GitHub tells what happens, and the poll comes too late to matter. Default false. */
  readonly webhooks?: boolean;
  /** Further fields of the section `github`. */
  readonly github?: Readonly<Record<string, unknown>>;
  /** Other sections of `miyabi.yaml`. */
  readonly installation?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Further things in place before the product starts. */
  readonly before?: (product: TestInstallation) => Promise<void>;
  /** What people did on the server before the product started; agents have work at once then, and are not waited for. */
  readonly beforeStart?: (hosted: Pick<HostedProduct, "server" | "repository">) => void;
}

const CHECKS_EVERY_MS = 200;
const HOOK_SECRET = "a secret that both know";

/** Starts both and waits until every agent is idle. Checks of pull requests pass by themselves. */
export async function startHostedProduct(params: Readonly<HostedParams>): Promise<HostedProduct> {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-hosted-"));
  const work = path.join(root, "work");
  await mkdir(work);
  await params.fill(work);
  const server = await startGitHubServer({ root });
  const repository = await addRepository(server, {
    root,
    name: params.name,
    from: work,
    people: params.people,
  });
  const checks = setInterval(() => void passChecks(server, repository).catch(() => {}), CHECKS_EVERY_MS);
  const product = await createInstallation(params.env);
  const close = async (): Promise<void> => {
    clearInterval(checks);
    await product.cli("shutdown");
    await product.destroy();
    await server.close();
    await rm(root, { recursive: true, force: true });
  };
  try {
    const port = params.webhooks === true ? await freePort() : null;
    if (port !== null) {
      const url = `http://127.0.0.1:${port}/webhooks/github`;
      server.state.hook = { url, secret: HOOK_SECRET, automatic: true, pending: [] };
    }
    const settings = {
      ...params.installation,
      github: {
        apiUrl: server.url,
        token: "GITHUB_TOKEN",
        ...(port === null
          ? { pollSeconds: 1 }
          : { pollSeconds: 3_600, webhooks: { port, secretEnv: "GITHUB_WEBHOOK_SECRET" } }),
        ...params.github,
        repositories: [{ name: params.name, merge: "when-green", ...params.settings }],
      },
    };
    await writeFile(path.join(product.home, "miyabi.yaml"), JSON.stringify(settings));
    await writeFile(
      path.join(product.home, ".env"),
      `GITHUB_TOKEN=${server.state.token}\nGITHUB_WEBHOOK_SECRET=${HOOK_SECRET}\n`,
      {
        mode: 0o600,
      },
    );
    await params.before?.(product);
    params.beforeStart?.({ server, repository });
    product.up();
    if (params.beforeStart === undefined) await waitUntilIdle(product);
  } catch (error) {
    await close();
    throw error;
  }
  return { server, repository, product, close };
}
