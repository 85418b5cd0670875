import { messageOf, parseJson } from "../../../base/index.ts";
import { basicAuthorization } from "../app/identity.ts";

export interface Reply {
  /** 0: no reply came. */
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
  /** The server's own words, or why no reply came. */
  readonly said: string;
}

/** Single requests whose refusals are what we want to know. */
export interface GitHubRequest {
  /** `GET /user`, below the address of the API. */
  (what: string, body?: object): Promise<Reply>;
  /** The first question of a fetch or a push. */
  git(cloneUrl: string, service: "git-receive-pack" | "git-upload-pack"): Promise<Reply>;
}

const TIMEOUT_MS = 15_000;

export function createRequest({ apiUrl, token }: Readonly<{ apiUrl: string; token: string }>): GitHubRequest {
  const ask = async (what: string, body?: object): Promise<Reply> => {
    const [method = "GET", path = ""] = what.split(" ");
    return reach(`${apiUrl.replace(/\/$/, "")}${path}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `token ${token}`,
        "user-agent": "miyabi-orchestra",
        "x-github-api-version": "2022-11-28",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const git: GitHubRequest["git"] = (cloneUrl, service) =>
    reach(`${cloneUrl}/info/refs?service=${service}`, {
      // As git does: a credential goes to no other host.
      redirect: "manual",
      headers: { authorization: basicAuthorization(token), "user-agent": "git/2" },
    });
  return Object.assign(ask, { git });
}

/** One request to anywhere; never throws. */
export async function reach(url: string, init: RequestInit = {}): Promise<Reply> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    const data = parseJson(text) ?? text;
    const said = (data as { message?: unknown } | null)?.message;
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      data,
      said: typeof said === "string" ? said.slice(0, 200) : "",
    };
  } catch (error) {
    const cause = (error as Error).cause;
    return { status: 0, headers: {}, data: null, said: messageOf(cause ?? error).slice(0, 200) };
  }
}
