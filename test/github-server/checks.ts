import type { Octokit } from "@octokit/core";
import { z } from "zod";
import type { Call, Reply } from "./routes.ts";
import type { CheckRun, Repository } from "./state.ts";

/** Check runs as apps write them: https://docs.github.com/rest/checks/runs */
declare const octokit: Octokit;
type DataOf<Request extends (...args: never[]) => Promise<{ readonly data: unknown }>> = Awaited<
  ReturnType<Request>
>["data"];
type RunData = DataOf<typeof octokit.request<"POST /repos/{owner}/{repo}/check-runs">>;
type AnnotationData = DataOf<
  typeof octokit.request<"GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations">
>[number];

const annotation = z.strictObject({
  path: z.string().min(1),
  start_line: z.number().int().min(1),
  end_line: z.number().int().min(1),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string().min(1).max(65_535),
});
const said = z.strictObject({
  name: z.string().min(1),
  head_sha: z.string().length(40).optional(),
  external_id: z.string().optional(),
  details_url: z.url().optional(),
  status: z.enum(["queued", "in_progress", "completed"]),
  conclusion: z.enum(["success", "failure", "neutral", "cancelled", "skipped", "timed_out"]),
  output: z.strictObject({
    title: z.string().min(1),
    summary: z.string().max(65_535),
    annotations: z.array(annotation).max(50, "No more than 50 annotations"),
  }),
});

const FORBIDDEN: Reply = {
  status: 403,
  body: { message: "Resource not accessible by personal access token" },
  headers: { "x-accepted-github-permissions": "checks=write" },
};

const view = (run: CheckRun) =>
  ({
    id: run.id,
    name: run.name,
    head_sha: run.head_sha ?? "",
    external_id: run.external_id ?? null,
    details_url: run.details_url ?? null,
    status: run.status,
    conclusion: run.conclusion as RunData["conclusion"],
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: null,
      annotations_count: run.annotations?.length ?? 0,
      annotations_url: "",
    },
  }) satisfies Partial<RunData>;

/** Every check run of a commit, or those of a name. */
export function listRuns({ repository, match, query }: Call): Reply {
  const name = query.get("check_name");
  const runs = (repository.checks.get(match[1] ?? "") ?? []).filter(
    (run) => name === null || run.name === name,
  );
  return { status: 200, body: { total_count: runs.length, check_runs: runs.map(view) } };
}

/** Personal tokens may not; whether an app may was asked before. */
const mayWrite = ({ state, repository }: Call): boolean =>
  repository.mayWriteChecks ?? state.connection.apps.length > 0;

function createRun(call: Call): Reply {
  const { state, repository, body } = call;
  if (!mayWrite(call)) return FORBIDDEN;
  const { data, error } = said.safeParse(body);
  if (data?.head_sha === undefined)
    return { status: 422, body: { message: error?.message ?? "head_sha is missing" } };
  const { annotations, ...output } = data.output;
  const run: CheckRun = { ...data, id: (state.ids += 1), output, annotations };
  repository.checks.set(data.head_sha, [...(repository.checks.get(data.head_sha) ?? []), run]);
  return { status: 201, body: view(run) };
}

/** Annotations of an update are added to those that are there. */
function updateRun(call: Call): Reply {
  const { repository, body } = call;
  if (!mayWrite(call)) return FORBIDDEN;
  const { data, error } = said.safeParse(body);
  if (data === undefined) return { status: 422, body: { message: error.message } };
  const found = runOf(call);
  if (found === undefined) return { status: 404, body: { message: "Not Found" } };
  const { annotations, ...output } = data.output;
  const run: CheckRun = {
    ...found,
    conclusion: data.conclusion,
    output,
    annotations: [...(found.annotations ?? []), ...annotations],
  };
  for (const [commit, runs] of repository.checks)
    repository.checks.set(
      commit,
      runs.map((one) => (one.id === run.id ? run : one)),
    );
  return { status: 200, body: view(run) };
}

function listAnnotations(call: Call): Reply {
  const { query } = call;
  const all = runOf(call)?.annotations ?? [];
  const size = Number(query.get("per_page") ?? 30);
  const page = Number(query.get("page") ?? 1);
  const body = all
    .slice((page - 1) * size, page * size)
    .map((one) => ({ ...one, title: null, raw_details: null }) satisfies Partial<AnnotationData>);
  return { status: 200, body };
}

const runOf = ({ repository, match }: Call): CheckRun | undefined =>
  [...repository.checks.values()].flat().find(({ id }) => id === Number(match[1]));

/** Those that the product wrote. */
export const ownRuns = (repository: Repository): readonly CheckRun[] =>
  [...repository.checks.values()].flat().filter(({ name }) => name === "miyabi");

export const CHECK_ROUTES: readonly (readonly [string, RegExp, (call: Call) => Reply])[] = [
  ["GET", /^\/commits\/([^/]+)\/check-runs$/, listRuns],
  ["POST", /^\/check-runs$/, createRun],
  ["PATCH", /^\/check-runs\/(\d+)$/, updateRun],
  ["GET", /^\/check-runs\/(\d+)\/annotations$/, listAnnotations],
];
