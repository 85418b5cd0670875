import { expect, test } from "vitest";
import { parseLabels } from "./ask-model.ts";

const LABELS = { bug: "something is wrong", docs: "the text is wrong", miyabi: "small enough for an agent" };

test.each([
  ['{"labels": ["bug", "miyabi"]}', ["bug", "miyabi"]],
  [' {"labels":[]}\n', []],
  ['```json\n{"labels": ["docs"]}\n```', ["docs"]],
])("takes labels of the list: %s", (answer, labels) => {
  expect(parseLabels(answer, LABELS)).toEqual(labels);
});

test.each([
  ["", "nothing"],
  ["bug", "a word"],
  ['Here you are: {"labels": ["bug"]}', "words around it"],
  ['{"labels": ["bug"]}\n{"labels": ["miyabi"]}', "two answers"],
  ['{"labels": ["bug", "admin"]}', "a label that is not on the list"],
  ['{"labels": ["Bug"]}', "another spelling"],
  ['{"labels": ["bug", "bug"]}', "one twice"],
  ['{"labels": "bug"}', "no list"],
  ['{"labels": [["bug"]]}', "a list in a list"],
  ['{"labels": ["bug"], "assignee": "me"}', "more than was asked for"],
  ['["bug"]', "the list alone"],
  ['{"labels": ["__proto__"]}', "a name of the language"],
  ["null", "null"],
])("takes nothing of %s (%s)", (answer) => {
  expect(parseLabels(answer, LABELS)).toBeNull();
});
