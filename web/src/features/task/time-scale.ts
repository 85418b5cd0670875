/** A span of time in ms; `to` may equal `from`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A stretch of the axis. A folded one stands for a pause in which nothing happened, at a fixed width. */
export interface Segment extends Span {
  /** Shares of the axis, 0 to 1. */
  readonly start: number;
  readonly end: number;
  readonly folded: boolean;
}

export interface TimeScale {
  readonly segments: readonly Segment[];
  /** Place of an instant on the axis, 0 to 1; outside it the nearest end. */
  readonly place: (atMs: number) => number;
}

const FOLDED_WIDTH = 0.05;
/** A pause is folded when it is longer than this share of all activity together, and than a minute. */
const FOLD_SHARE = 0.25;
const FOLD_MIN_MS = 60_000;

/**
 * Axis over the activity spans on which long pauses take a fixed small width, so that a night of waiting does not
 * press two minutes of work into a line. The widths of the other stretches are proportional to time.
 */
export function createTimeScale(activity: readonly Span[]): TimeScale {
  const merged = mergeSpans(activity);
  const activeMs = merged.reduce((sum, { from, to }) => sum + (to - from), 0);
  const threshold = Math.max(FOLD_MIN_MS, activeMs * FOLD_SHARE);
  const stretches: (Span & { readonly folded: boolean })[] = [];
  for (const span of merged) {
    const last = stretches.at(-1);
    if (last === undefined) stretches.push({ ...span, folded: false });
    else if (span.from - last.to > threshold) {
      stretches.push({ from: last.to, to: span.from, folded: true }, { ...span, folded: false });
    } else stretches[stretches.length - 1] = { from: last.from, to: span.to, folded: false };
  }
  const open = stretches.filter(({ folded }) => !folded);
  const openMs = Math.max(
    1,
    open.reduce((sum, { from, to }) => sum + (to - from), 0),
  );
  const openWidth = Math.max(0.3, 1 - FOLDED_WIDTH * (stretches.length - open.length));
  const foldedWidth = (1 - openWidth) / Math.max(1, stretches.length - open.length);
  let at = 0;
  const segments = stretches.map((stretch) => {
    const width = stretch.folded ? foldedWidth : (openWidth * (stretch.to - stretch.from)) / openMs;
    const segment = { ...stretch, start: at, end: at + width };
    at += width;
    return segment;
  });
  return { segments, place: (ms) => placeOn(segments, ms) };
}

function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const out: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && span.from <= last.to) {
      out[out.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else out.push({ from: span.from, to: Math.max(span.from, span.to) });
  }
  return out;
}

function placeOn(segments: readonly Segment[], ms: number): number {
  for (const { from, to, start, end } of segments) {
    if (ms <= from) return start;
    if (ms <= to) return start + ((ms - from) / (to - from)) * (end - start);
  }
  return segments.at(-1)?.end ?? 0;
}
