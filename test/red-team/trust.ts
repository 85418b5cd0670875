/** Second, what was done, by whom, and with which label where it is another than ours. */
type Step = readonly [at: number, act: "label" | "edit" | "rename", by: string, label?: string];

/** Who did what with an issue of a stranger's, in seconds; and what becomes of it. */
export interface TrustCase {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly outcome: "taken" | "untrusted" | "edited" | "ignored";
}

function trustCase(name: string, outcome: TrustCase["outcome"], ...steps: readonly Step[]): TrustCase {
  return { name, outcome, steps };
}

/*
 * hanako and taro have write access, kenji only triage, a stranger none; "" is somebody whom GitHub does not name (any more).
 * Of edits GitHub tells the last one; the texts say who wrote them.
 */
export const TRUST: readonly TrustCase[] = [
  trustCase("labelled with write access", "taken", [1, "label", "hanako"]),
  trustCase("labelled without", "untrusted", [1, "label", "stranger"]),
  trustCase("labelled with the right to sort issues only", "untrusted", [1, "label", "kenji"]),
  trustCase("labelled by nobody known", "untrusted", [1, "label", ""]),
  trustCase("labelled by an app with the name of a person", "untrusted", [1, "label", "hanako[bot]"]),
  trustCase(
    "labelled again by somebody without the right",
    "untrusted",
    [1, "label", "hanako"],
    [2, "label", "stranger"],
  ),
  trustCase(
    "labelled again by somebody with the right",
    "taken",
    [1, "label", "stranger"],
    [2, "label", "hanako"],
  ),
  trustCase("another label that looks alike", "ignored", [1, "label", "hanako", "m\u200biyabi"]),
  trustCase("the label of a state", "ignored", [1, "label", "stranger", "miyabi:running"]),
  trustCase("edited before the label", "taken", [1, "edit", "stranger"], [2, "label", "hanako"]),
  trustCase("edited after the label", "edited", [1, "label", "hanako"], [2, "edit", "stranger"]),
  trustCase("edited in the second of the label", "edited", [1, "label", "hanako"], [1, "edit", "stranger"]),
  trustCase("edited by nobody known", "edited", [1, "label", "hanako"], [2, "edit", ""]),
  trustCase("edited by an app", "edited", [1, "label", "hanako"], [2, "edit", "helper[bot]"]),
  trustCase("edited by another person with the right", "taken", [1, "label", "hanako"], [2, "edit", "taro"]),
  trustCase(
    "edited, and then by a person with the right",
    "taken",
    [1, "label", "hanako"],
    [2, "edit", "stranger"],
    [3, "edit", "taro"],
  ),
  trustCase(
    "edited by a person with the right, and then again",
    "edited",
    [1, "label", "hanako"],
    [2, "edit", "taro"],
    [3, "edit", "stranger"],
  ),
  trustCase(
    "edited, and labelled once more",
    "taken",
    [1, "label", "hanako"],
    [2, "edit", "stranger"],
    [3, "label", "taro"],
  ),
  trustCase("renamed before the label", "taken", [1, "rename", "stranger"], [2, "label", "hanako"]),
  trustCase("renamed after the label", "edited", [1, "label", "hanako"], [2, "rename", "stranger"]),
  trustCase(
    "renamed in the second of the label",
    "edited",
    [1, "rename", "stranger"],
    [1, "label", "hanako"],
  ),
  trustCase("renamed by nobody known", "edited", [1, "label", "hanako"], [2, "rename", ""]),
  trustCase("renamed by a person with the right", "taken", [1, "label", "hanako"], [2, "rename", "taro"]),
  trustCase(
    "renamed, and edited by a person with the right",
    "edited",
    [1, "label", "hanako"],
    [2, "rename", "stranger"],
    [3, "edit", "taro"],
  ),
];
