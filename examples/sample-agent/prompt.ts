/** The first lines of a prompt, which tell the agent why it is called. */
export interface Header {
  readonly role: string;
  readonly step: string;
  readonly reason: string;
  /** Counts up whenever the task is sent back, for whatever reason. */
  readonly round: number;
  readonly attempt: number;
}

const HEADER =
  /^Role: (?<role>.+)\nStep: (?<step>.+)\nReason: (?<reason>[a-z-]+)\nRound: (?<round>\d+)\nAttempt: (?<attempt>\d+)$/m;

/** Reads the first header in a prompt (a summary may stand before it); a prompt without one says "go on". */
export function parseHeader(prompt: string): Header {
  const fields = HEADER.exec(prompt)?.groups ?? {};
  return {
    role: fields["role"] ?? "code",
    step: fields["step"] ?? "implement",
    reason: fields["reason"] ?? "continue",
    round: Math.max(1, Number(fields["round"] ?? 1)),
    attempt: Math.max(1, Number(fields["attempt"] ?? 1)),
  };
}

/** Which review of the task this is, from 1: one more than those the session remembers or the summary lists. */
export function countReview(prompt: string, history: readonly string[]): number {
  const current = parseHeader(prompt).round;
  const remembered = new Set(
    history
      .map(parseHeader)
      .filter(({ reason, round }) => reason === "review" && round < current)
      .map(({ round }) => round),
  );
  const listed = prompt.match(/^- .+ \(review\): (?:changes|approve)\b/gm) ?? [];
  return 1 + Math.max(remembered.size, listed.length);
}

/** The commit that the prompt says is being merged, or null. */
export function parseMergeTarget(prompt: string): string | null {
  const named =
    /The new state \(([0-9a-f]{7,64})\)/.exec(prompt) ?? /git merge (?:--[\w-]+ )*([\w./-]+)/.exec(prompt);
  return named?.[1] ?? null;
}
