import type { Command } from "commander";
import { z } from "zod";
import { taskId, type ModelCallPrompt, type ModelCallView } from "../contract/index.ts";
import { action, integer, valueOf } from "./context.ts";
import { localTime, oneLine, plain, table } from "./table.ts";

interface ListFlags {
  readonly task?: string;
  readonly model?: string;
  readonly lines: number;
}

/** `miyabi calls`: what the ledger has, and what was said where that is kept. */
export function addCalls(calls: Command): void {
  calls
    .option("--task <id>", "of one task", valueOf(taskId))
    .option("--model <name>", "of one model")
    .option("--lines <number>", "at most this many", integer(1, 200), 20)
    .action(
      action(async ({ client, output }, flags: ListFlags) => {
        const { items } = await (
          await client()
        ).call("listModelCalls", {
          query: {
            limit: String(flags.lines),
            ...(flags.task === undefined ? {} : { task: flags.task }),
            ...(flags.model === undefined ? {} : { model: flags.model }),
          },
        });
        output.result({ items }, items.length === 0 ? "There are no calls." : callsText(items));
      }),
    );
  calls
    .command("show")
    .argument("<id>", "call, as the header x-miyabi-call and the list name it", valueOf(z.uuid()))
    .description("one call, with all that the ledger knows of it")
    .option("--prompt", "also what was said, redacted, where gateway.prompts keeps it")
    .action(
      action(async ({ client, output }, id: string, flags: { readonly prompt?: true }) => {
        const api = await client();
        const call = await api.call("getModelCall", { params: { id } });
        if (flags.prompt !== true) return output.result(call, callText(call));
        const prompt = await api.call("readModelCallPrompt", { params: { id } });
        output.result({ ...call, prompt }, `${callText(call)}\n\n${promptText(prompt)}`);
      }),
    );
}

const costOf = ({ costMicros, usageComplete }: ModelCallView): string =>
  costMicros === null
    ? "unknown"
    : `${usageComplete ? "" : "at least "}$${(costMicros / 1_000_000).toFixed(6)}`;
const orDash = (value: string | number | null): string => (value === null ? "—" : oneLine(String(value)));
const modelOf = (call: ModelCallView): string => orDash(call.model ?? call.askedModel);

function callsText(items: readonly ModelCallView[]): string {
  return table([
    ["time", "call", "caller", "provider", "model", "in", "out", "cost", "outcome"],
    ...items.map((one) => [
      localTime(one.startedAt),
      one.id,
      orDash(one.caller),
      one.provider,
      modelOf(one),
      orDash(one.tokensIn),
      orDash(one.tokensOut),
      costOf(one),
      one.cache === "hit" ? `${one.outcome} (cache)` : one.outcome,
    ]),
  ]);
}

function callText(call: ModelCallView): string {
  const percent = (share: number | null): string | null =>
    share === null ? null : `${(share * 100).toFixed(1)} %`;
  const facts: readonly (readonly [string, string | number | null])[] = [
    ["time", localTime(call.startedAt)],
    ["caller", call.caller],
    ["task", call.taskId],
    ["provider", `${call.provider} (${call.endpoint})`],
    ["model", modelOf(call)],
    ["outcome", `${call.outcome}${call.status === null ? "" : ` (${call.status})`}`],
    ["error", call.error],
    ["tokens", `${orDash(call.tokensIn)} in, ${orDash(call.tokensOut)} out`],
    ["cached", call.tokensCacheRead],
    ["cost", costOf(call)],
    ["first byte", call.firstByteMs === null ? null : `${call.firstByteMs} ms`],
    ["total", `${call.totalMs} ms, ${call.attempts} tries`],
    ["cache", call.cache],
    ["trimmed to", percent(call.compressRatio)],
    ["meaning left", percent(call.retention)],
    ["stable", call.prefixStableTokens === null ? null : `${call.prefixStableTokens} tokens`],
    ["chain", call.chain === null ? null : `${call.chain}, ${call.chainStep ?? ""} of ${call.chainOf ?? ""}`],
  ];
  return table(
    [["call", call.id], ...facts.flatMap(([name, value]) => (value === null ? [] : [[name, orDash(value)]]))],
    null,
  );
}

function promptText({ request, answer, isCut, createdAt }: ModelCallPrompt): string {
  const note = isCut ? " The middle is left out." : "";
  return [
    `Kept ${localTime(createdAt)}, redacted.${note}`,
    `request:\n${plain(indented(request))}`,
    answer === null ? "There was no answer that could be kept." : `answer:\n${plain(indented(answer))}`,
  ].join("\n\n");
}

/** JSON for people, where it is whole. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
