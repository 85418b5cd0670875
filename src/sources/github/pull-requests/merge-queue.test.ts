import { expect, test } from "vitest";
import { afterRemoval } from "./merge-queue.ts";

test("what GitHub says of a removal decides whether the session, a rebase or a person follows", () => {
  expect(["CI_FAILURE", "failed_checks", "FAILED_CHECKS", "failed status check"].map(afterRemoval)).toEqual(
    Array(4).fill("checks"),
  );
  expect(["MERGE_CONFLICT", "merge conflict"].map(afterRemoval)).toEqual(Array(2).fill("conflict"));
  expect(
    ["CI_TIMEOUT", "checks timed out", "MANUAL", "QUEUE_CLEARED", "BRANCH_PROTECTIONS", ""].map(afterRemoval),
  ).toEqual(Array(6).fill("person"));
});
