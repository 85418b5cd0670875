import { expect, test } from "vitest";
import { AS_CLI, createApiFixture } from "./api-fixture.ts";

interface Case {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly body?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  /** Of `details`. */
  readonly field?: string;
  readonly value?: string | null;
}

const json = (value: unknown): string => JSON.stringify(value);
const TASK = { repositoryPath: "/srv/project", title: "Title" };
const CASES: readonly Case[] = [
  { url: "/api/tasks/12", status: 422, code: "input.invalid", field: "id", value: "12" },
  { url: "/api/tasks/T0", status: 422, code: "input.invalid", field: "id", value: "T0" },
  { url: `/api/tasks/${"T".repeat(150)}`, status: 422, code: "input.invalid", field: "id" },
  { url: "/api/tasks?limit=0", status: 422, code: "input.invalid", field: "limit", value: "0" },
  { url: "/api/tasks?limit=many", status: 422, code: "input.invalid", field: "limit", value: "many" },
  { url: "/api/tasks?limit=1&limit=2", status: 422, code: "input.invalid", field: "limit" },
  { url: "/api/tasks?state=runing", status: 422, code: "input.invalid", field: "state.0" },
  { url: "/api/tasks?stat=running", status: 422, code: "input.invalid", field: "stat", value: "running" },
  { url: "/api/tasks?order=random", status: 422, code: "input.invalid", field: "order", value: "random" },
  { url: "/api/questions?open=perhaps", status: 422, code: "input.invalid", field: "open", value: "perhaps" },
  { url: "/api/agents/Kaede/screen", status: 422, code: "input.invalid", field: "slot", value: "Kaede" },
  {
    url: "/api/events?after=yesterday",
    status: 422,
    code: "input.invalid",
    field: "after",
    value: "yesterday",
  },
  { url: "/api/status?range=1y", status: 422, code: "input.invalid", field: "range", value: "1y" },
  { url: "/api/health?x=1", status: 422, code: "input.invalid", field: "x", value: "1" },
  {
    method: "POST",
    url: "/api/tasks",
    body: "",
    status: 422,
    code: "input.invalid",
    field: "repositoryPath",
    value: null,
  },
  { method: "POST", url: "/api/tasks", body: "{", status: 422, code: "input.invalid" },
  { method: "POST", url: "/api/tasks", body: "[]", status: 422, code: "input.invalid", field: "body" },
  { method: "POST", url: "/api/tasks", body: "null", status: 422, code: "input.invalid" },
  { method: "POST", url: "/api/tasks", body: '{"__proto__":{"a":1}}', status: 422, code: "input.invalid" },
  {
    method: "POST",
    url: "/api/tasks",
    body: json({ ...TASK, title: " " }),
    status: 422,
    code: "input.invalid",
    field: "title",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json({ ...TASK, tilte: "x" }),
    status: 422,
    code: "input.invalid",
    field: "tilte",
    value: "x",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json({ ...TASK, dependsOn: ["T1", "x"] }),
    status: 422,
    code: "input.invalid",
    field: "dependsOn.1",
    value: "x",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json({ ...TASK, dueAt: "tomorrow" }),
    status: 422,
    code: "input.invalid",
    field: "dueAt",
    value: "tomorrow",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json({ ...TASK, body: "x".repeat(2_000_000) }),
    status: 413,
    code: "input.too_large",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: "title=x",
    type: "application/x-www-form-urlencoded",
    status: 415,
    code: "api.media_type",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json(TASK),
    type: "text/plain",
    status: 415,
    code: "api.media_type",
  },
  {
    method: "POST",
    url: "/api/tasks",
    body: json(TASK),
    headers: { "idempotency-key": "with space" },
    status: 422,
    code: "input.invalid",
    field: "idempotency-key",
  },
  {
    method: "POST",
    url: "/api/tasks/T1/cancel",
    body: json({ reason: 5 }),
    status: 422,
    code: "input.invalid",
    field: "reason",
    value: "5",
  },
  { method: "PUT", url: "/api/tasks/T1", body: "{}", status: 405, code: "api.method_not_allowed" },
  { method: "DELETE", url: "/api/tasks/T1", status: 405, code: "api.method_not_allowed" },
  { method: "POST", url: "/healthz", body: "{}", status: 405, code: "api.method_not_allowed" },
  { url: "/api/login", status: 405, code: "api.method_not_allowed" },
  { url: "/api/nothing", status: 404, code: "not_found" },
  { url: "/api", status: 404, code: "not_found" },
  { method: "POST", url: "/anything", body: "{}", status: 404, code: "not_found" },
];

test("bad input is answered with a problem that names field, value and fix", async () => {
  const { server } = await createApiFixture();
  for (const one of CASES) {
    const name = `${one.method ?? "GET"} ${one.url} ${one.body?.slice(0, 60) ?? ""}`;
    const answer = await server.inject({
      method: one.method ?? "GET",
      url: one.url,
      headers: {
        ...AS_CLI,
        ...(one.body === undefined ? {} : { "content-type": one.type ?? "application/json" }),
        ...one.headers,
      },
      ...(one.body === undefined ? {} : { payload: one.body }),
    });
    expect(answer.headers["content-type"], name).toBe("application/problem+json; charset=utf-8");
    const problem = answer.json<{ fix: unknown; detail: string; details: Record<string, unknown> }>();
    expect(problem, name).toMatchObject({ status: one.status, code: one.code, retryable: false });
    expect(answer.statusCode, name).toBe(one.status);
    expect(problem.fix, name).toEqual(expect.any(String));
    if (one.field !== undefined) expect(problem.details["field"], name).toBe(one.field);
    if (one.field !== undefined) expect(problem.detail, name).toContain(one.field);
    if (one.value !== undefined) expect(problem.details["value"], name).toBe(one.value);
  }
});

test("all problems of a request are named, long values cut", async () => {
  const { server } = await createApiFixture();
  const answer = await server.inject({
    method: "POST",
    url: "/api/tasks",
    headers: AS_CLI,
    payload: { repositoryPath: "/x", title: "x".repeat(500), class: "P9" },
  });
  const { details } = answer.json<{ details: { problems: { field: string; value: string }[] } }>();
  expect(details.problems.map(({ field }) => field)).toEqual(["title", "class"]);
  expect(details.problems[0]?.value.length).toBeLessThan(110);
});
