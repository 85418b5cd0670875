/** Who did what with an issue of a stranger's, in seconds; and what becomes of it. */
export interface TrustCase {
  readonly name: string;
  readonly steps: readonly (readonly [
    at: number,
    act: "label" | "edit" | "rename",
    by: string,
    label?: string,
  ])[];
  readonly outcome: "taken" | "untrusted" | "edited" | "ignored";
}

/*
 * hanako and taro have write access, kenji only triage, a stranger none; "" is somebody whom GitHub does not name (any more).
 * Of edits GitHub tells the last one; the texts say who wrote them.
 */
export const TRUST: readonly TrustCase[] = [
  { name: "labelled with write access", steps: [[1, "label", "hanako"]], outcome: "taken" },
  { name: "labelled without", steps: [[1, "label", "stranger"]], outcome: "untrusted" },
  {
    name: "labelled with the right to sort issues only",
    steps: [[1, "label", "kenji"]],
    outcome: "untrusted",
  },
  { name: "labelled by nobody known", steps: [[1, "label", ""]], outcome: "untrusted" },
  {
    name: "labelled by an app with the name of a person",
    steps: [[1, "label", "hanako[bot]"]],
    outcome: "untrusted",
  },
  {
    name: "labelled again by somebody without the right",
    steps: [
      [1, "label", "hanako"],
      [2, "label", "stranger"],
    ],
    outcome: "untrusted",
  },
  {
    name: "labelled again by somebody with the right",
    steps: [
      [1, "label", "stranger"],
      [2, "label", "hanako"],
    ],
    outcome: "taken",
  },
  {
    name: "another label that looks alike",
    steps: [[1, "label", "hanako", "m\u200biyabi"]],
    outcome: "ignored",
  },
  { name: "the label of a state", steps: [[1, "label", "stranger", "miyabi:running"]], outcome: "ignored" },
  {
    name: "edited before the label",
    steps: [
      [1, "edit", "stranger"],
      [2, "label", "hanako"],
    ],
    outcome: "taken",
  },
  {
    name: "edited after the label",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "stranger"],
    ],
    outcome: "edited",
  },
  {
    name: "edited in the second of the label",
    steps: [
      [1, "label", "hanako"],
      [1, "edit", "stranger"],
    ],
    outcome: "edited",
  },
  {
    name: "edited by nobody known",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", ""],
    ],
    outcome: "edited",
  },
  {
    name: "edited by an app",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "helper[bot]"],
    ],
    outcome: "edited",
  },
  {
    name: "edited by another person with the right",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "taro"],
    ],
    outcome: "taken",
  },
  {
    name: "edited, and then by a person with the right",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "stranger"],
      [3, "edit", "taro"],
    ],
    outcome: "taken",
  },
  {
    name: "edited by a person with the right, and then again",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "taro"],
      [3, "edit", "stranger"],
    ],
    outcome: "edited",
  },
  {
    name: "edited, and labelled once more",
    steps: [
      [1, "label", "hanako"],
      [2, "edit", "stranger"],
      [3, "label", "taro"],
    ],
    outcome: "taken",
  },
  {
    name: "renamed before the label",
    steps: [
      [1, "rename", "stranger"],
      [2, "label", "hanako"],
    ],
    outcome: "taken",
  },
  {
    name: "renamed after the label",
    steps: [
      [1, "label", "hanako"],
      [2, "rename", "stranger"],
    ],
    outcome: "edited",
  },
  {
    name: "renamed in the second of the label",
    steps: [
      [1, "rename", "stranger"],
      [1, "label", "hanako"],
    ],
    outcome: "edited",
  },
  {
    name: "renamed by nobody known",
    steps: [
      [1, "label", "hanako"],
      [2, "rename", ""],
    ],
    outcome: "edited",
  },
  {
    name: "renamed by a person with the right",
    steps: [
      [1, "label", "hanako"],
      [2, "rename", "taro"],
    ],
    outcome: "taken",
  },
  {
    name: "renamed, and edited by a person with the right",
    steps: [
      [1, "label", "hanako"],
      [2, "rename", "stranger"],
      [3, "edit", "taro"],
    ],
    outcome: "edited",
  },
];
