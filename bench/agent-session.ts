import { createSeededRandom, type Random } from "../src/base/index.ts";

/** A block of a message, as Anthropic's dialect has it. */
type Block = Readonly<Record<string, unknown>>;

export interface SessionStep {
  /** How long after the request before it this one is made. */
  readonly pauseMs: number;
  /** What the model says to the request: a few words and a call. */
  readonly says: readonly Block[];
  /** What the next request brings back. */
  readonly brings: readonly Block[];
}

export interface AgentSession {
  readonly system: string;
  readonly tools: readonly Block[];
  readonly task: string;
  readonly steps: readonly SessionStep[];
}

/** Middle and spread of a lognormal size in tokens, and the most that the tool gives out. */
interface Size {
  readonly median: number;
  readonly sigma: number;
  readonly most: number;
}

interface Kind {
  readonly tool: string;
  readonly argument: Size;
  readonly result: Size;
}

/*
 * Sizes as in fourteen published sessions of Claude Code with 65 to 389 turns: half of all results have no more than 30 to
 * 210 tokens, one in ten more than 900 to 4,000, one in a hundred more than 3,000 to 24,000; 20 to 50 % of all tokens are
 * the model's own; 0 to 24 % of the tokens of results (half of the sessions: 6 % or more) are those of a result that was
 * there before, word for word; people and long commands make it wait for more than five minutes up to twelve times.
 */
const KINDS = {
  search: {
    tool: "Grep",
    argument: { median: 35, sigma: 0.4, most: 120 },
    result: { median: 220, sigma: 0.9, most: 3_000 },
  },
  read: {
    tool: "Read",
    argument: { median: 30, sigma: 0.2, most: 80 },
    result: { median: 1_500, sigma: 0.9, most: 14_000 },
  },
  edit: {
    tool: "Edit",
    argument: { median: 260, sigma: 0.9, most: 3_000 },
    result: { median: 90, sigma: 0.7, most: 900 },
  },
  run: {
    tool: "Bash",
    argument: { median: 45, sigma: 0.5, most: 250 },
    result: { median: 230, sigma: 1.5, most: 9_000 },
  },
  note: {
    tool: "TodoWrite",
    argument: { median: 130, sigma: 0.4, most: 400 },
    result: { median: 30, sigma: 0.1, most: 60 },
  },
} as const satisfies Record<string, Kind>;
type KindName = keyof typeof KINDS;

const LOOK: readonly KindName[] = ["note", "search", "read", "read", "search", "read", "run", "read"];
/** Rounds of work after the first look around. */
const WORK: readonly (readonly KindName[])[] = [
  ["edit", "edit", "run", "note"],
  ["read", "edit", "edit", "edit", "run"],
  ["search", "read", "read", "edit", "run", "edit", "run", "note"],
  ["run", "read", "edit", "run"],
  ["search", "search", "read", "edit", "edit", "run", "run"],
];

const WORDS =
  "const value = await store find ( request . id ) ; if ( ! value ) throw new Error ( 'not found' ) ; return value map ( ( row ) => row . name ) // the next page of the list export function handle async import from test expect ok failed line at src index ts".split(
    " ",
  );

/** About `tokens` tokens of something like code. */
function textOf(tokens: number, random: Random): string {
  const words: string[] = [];
  for (let count = 0; count < tokens; count += 1) {
    const word = WORDS[Math.floor(random.fraction() * WORDS.length)] ?? "x";
    words.push(count % 14 === 13 ? `${word}\n` : word);
  }
  return words.join(" ");
}

function sizeOf({ median, sigma, most }: Size, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction());
  return Math.max(5, Math.min(most, Math.round(median * Math.exp(sigma * normal))));
}

const SYSTEM_TOKENS = 4_000;
const TOOLS = 18;
const TOOL_TOKENS = 750;
/** Share of searches, reads and runs that bring what an earlier one has brought, word for word. */
const REPEATED = 0.08;
/** Share of the steps before which a person, or a long command, lets the provider's cache expire. */
const LONG_PAUSES = 0.04;

/**
 * A session of a coding agent with so many turns, always the same for a seed: it looks around, then edits, runs and reads,
 * with pauses. `pauses` false: every request follows within a minute.
 */
export function createAgentSession(params: {
  readonly seed: number;
  readonly turns: number;
  readonly pauses: boolean;
}): AgentSession {
  const random = createSeededRandom(params.seed);
  const kinds: KindName[] = [...LOOK];
  while (kinds.length < params.turns)
    kinds.push(...(WORK[Math.floor(random.fraction() * WORK.length)] ?? []));
  const brought = new Map<KindName, string[]>();
  const resultOf = (name: KindName, kind: Kind): string => {
    const before = brought.get(name) ?? [];
    const again =
      name === "edit" || name === "note" || random.fraction() >= REPEATED
        ? undefined
        : before[Math.floor(random.fraction() * before.length)];
    const text = again ?? textOf(sizeOf(kind.result, random), random);
    brought.set(name, [...before, text]);
    return text;
  };
  const steps = kinds.slice(0, params.turns).map((name, step): SessionStep => {
    const kind: Kind = KINDS[name];
    const id = `toolu_${params.seed}_${step}`;
    const isLong = random.fraction() < LONG_PAUSES;
    const minutes = isLong ? 6 + 20 * random.fraction() : 0.1 + 0.7 * random.fraction();
    const says = sizeOf({ median: 60, sigma: 0.8, most: 600 }, random);
    return {
      pauseMs: (params.pauses || !isLong ? minutes : 0.5) * 60_000,
      says: [
        { type: "text", text: textOf(says, random) },
        {
          type: "tool_use",
          id,
          name: kind.tool,
          input: { argument: textOf(sizeOf(kind.argument, random), random) },
        },
      ],
      brings: [{ type: "tool_result", tool_use_id: id, content: resultOf(name, kind) }],
    };
  });
  return {
    system: textOf(SYSTEM_TOKENS, random),
    tools: Array.from({ length: TOOLS }, (_, tool) => ({
      name: `tool_${tool}`,
      description: textOf(TOOL_TOKENS, random),
      input_schema: { type: "object" },
    })),
    task: textOf(400, random),
    steps,
  };
}

/** The requests of a session, one a turn, as a client sends them that leaves nothing out. */
export function requestsOf(
  session: AgentSession,
): readonly { readonly pauseMs: number; readonly body: object }[] {
  const messages: object[] = [{ role: "user", content: session.task }];
  return session.steps.map(({ pauseMs, says, brings }) => {
    const body = {
      model: "claude-sonnet-4-5",
      max_tokens: 8_000,
      system: session.system,
      tools: session.tools,
      messages: [...messages],
    };
    messages.push({ role: "assistant", content: says }, { role: "user", content: brings });
    return { pauseMs, body };
  });
}
