import type { Reply } from "../routes.ts";
import type { Connection } from "./state.ts";

/** Path of a request without the prefix of its server; one that goes past the prefix finds nothing. */
export function pathInside({ prefix }: Connection, pathname: string): string {
  if (prefix === "" || pathname.includes(".git/")) return pathname;
  if (pathname === "/api/graphql") return "/graphql";
  return pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : `/outside${pathname}`;
}

/** GraphQL's answer to a question with fields that the schema of this server lacks; null: it has them all. */
export function answerGraphql({ lacks }: Connection, query: string): Reply | null {
  if (query.includes("__type(")) {
    const names = ["number", "title", "blockedBy", "subIssues"].filter((name) => !lacks.has(name));
    return { status: 200, body: { data: { __type: { fields: names.map((name) => ({ name })) } } } };
  }
  const errors = [...lacks]
    .filter((name) => new RegExp(`\\b${name}\\b`).test(query))
    .map((fieldName) => ({
      path: ["fragment facts", fieldName],
      extensions: { code: "undefinedField", typeName: "Issue", fieldName },
      locations: [{ line: 1, column: 1 }],
      message: `Field '${fieldName}' doesn't exist on type 'Issue'`,
    }));
  return errors.length === 0 ? null : { status: 200, body: { errors } };
}

/** An issue as the schema of this server has it. */
export const inSchema = ({ lacks }: Connection, node: object): object =>
  Object.fromEntries(Object.entries(node).filter(([name]) => !lacks.has(name)));
