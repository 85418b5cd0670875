import { quoteForShell, type Clock } from "../../base/index.ts";
import type { Client } from "../client.ts";
import { diffLines, withoutSecrets } from "./diff.ts";
import { writeOwned } from "./files.ts";
import { gatewayOf, keyForTool, validKey, type ToolKey } from "./gateway-key.ts";
import { digestOf, openJournal, pathsOf, type Journal } from "./journal.ts";
import { chatModels, chooseModel, modelToTry } from "./models.ts";
import { isChanged, keyInPlace, planFiles, type PlannedFile } from "./plan.ts";
import type { Check, ToolResult } from "./result.ts";
import { TOOLS, type Place, type Tool, type ToolName } from "./tools/index.ts";
import { tryModel } from "./verify.ts";

interface SetupParams {
  readonly name: ToolName;
  readonly place: Place;
  readonly api: Client;
  readonly clock: Clock;
  /** The model to write; null: the one written last, else the best that is offered. */
  readonly model: string | null;
  readonly isDryRun: boolean;
}

/** Stands for what is not known yet: the key is made last, when nothing speaks against writing it. */
const NO_KEY = "mk-new-key-to-be-made";
const NO_MODEL = "MODEL";

/**
 * Points a tool at the gateway: reads its files, gets its key, keeps a backup, writes, and makes a real call.
 * Repeatable: what is there already stays. After a crash at any point the same command goes on, and `undo` restores.
 * @throws config.invalid where a file of the tool cannot be read or changed: then nothing was written and no key made;
 * disk.full, disk.not_writable; the API's.
 */
export async function setUpTool(params: Readonly<SetupParams>): Promise<ToolResult> {
  const { name, place, api, clock } = params;
  const tool: Tool = TOOLS[name];
  const journal = openJournal(place, name);
  const known = params.model ?? (await journal.list()).at(-1)?.model ?? null;
  const facts = {
    gateway: gatewayOf(api),
    key: NO_KEY,
    model: known ?? (tool.knows === null ? NO_MODEL : null),
    offered: [],
  };
  const draft = await planFiles(tool, place, facts);
  const inPlace = keyInPlace(draft, NO_KEY);
  if (params.isDryRun) {
    const isKept = inPlace !== null && (await validKey({ api, clock }, inPlace)) !== null;
    const files = isKept ? await planFiles(tool, place, { ...facts, key: inPlace }) : draft;
    return plannedResult({ name, tool, files, makesKey: !isKept, notes: tool.notes(place, facts) });
  }
  const key = await keyForTool({
    api,
    tool: name,
    place,
    endpoint: tool.endpoint(known ?? ""),
    inPlace,
    clock,
  });
  try {
    const offered = key.offer.state === "listed" ? key.offer.models : [];
    const model = known ?? chooseModel(tool, offered);
    const final = { ...facts, key: key.key, model, offered: chatModels(offered) };
    const files = await planFiles(tool, place, final);
    const changed = files.filter(isChanged);
    if (changed.length > 0) await write({ journal, files: changed, key, model, clock });
    return {
      tool: name,
      title: tool.title,
      state: changed.length > 0 ? "written" : "unchanged",
      files: files.map((file) => ({
        file: file.found.file,
        change: !isChanged(file) ? "unchanged" : file.found.content === null ? "made" : "changed",
      })),
      key: { id: key.id, name: key.name, made: key.isMade },
      model,
      modelsOffered: key.offer.state === "listed" ? offered.length : null,
      check: await check({ api, tool, model, key, clock }),
      undo: `miyabi setup ${name} --undo${place.isOfAnother ? ` --home ${quoteForShell(place.home)}` : ""}`,
      notes: tool.notes(place, final),
    };
  } catch (error) {
    // Nobody would know it: what it was made for does not hold it.
    if (key.isMade) await api.call("revokeGatewayKey", { params: { id: key.id }, body: {} }).catch(() => {});
    throw error;
  }
}

interface WriteParams {
  readonly journal: Journal;
  readonly files: readonly PlannedFile[];
  readonly key: ToolKey;
  readonly model: string | null;
  readonly clock: Clock;
}

/** The backup comes first: whenever we die, the files can be restored from it. */
async function write({ journal, files, key, model, clock }: WriteParams): Promise<void> {
  await journal.add({
    version: 1,
    at: clock.now().toISOString(),
    madeKeyId: key.isMade ? key.id : null,
    model,
    files: files.map(({ found, format, changes, after }) => ({
      file: found.file,
      format,
      before: found.content?.toString("base64") ?? null,
      mode: found.mode,
      after: digestOf(Buffer.from(after)),
      paths: pathsOf(changes),
    })),
  });
  for (const { found, after, mode } of files) await writeOwned(found.file, Buffer.from(after), mode);
}

async function check(
  params: Readonly<{ api: Client; tool: Tool; model: string | null; key: ToolKey; clock: Clock }>,
): Promise<Check> {
  const { api, tool, key, clock } = params;
  const { items } = await api.call("listProviders");
  if (!items.some((provider) => provider.state === "ready")) return { state: "not-configured" };
  const { offer } = key;
  const model = params.model ?? modelToTry(tool, offer.state === "listed" ? offer.models : []);
  if (model === null) {
    const why = offer.state === "failed" ? offer.why : `no model of ${tool.title} is among them`;
    return { state: "no-model", why };
  }
  return tryModel({ gateway: gatewayOf(api), key: key.key, endpoint: tool.endpoint(model), model, clock });
}

function plannedResult(
  params: Readonly<{
    name: ToolName;
    tool: Tool;
    files: readonly PlannedFile[];
    makesKey: boolean;
    notes: readonly string[];
  }>,
): ToolResult {
  return {
    tool: params.name,
    title: params.tool.title,
    state: "planned",
    files: params.files.map(({ found, before, after }) => ({
      file: found.file,
      diff: diffLines(before, after).map(withoutSecrets),
    })),
    makesKey: params.makesKey,
    notes: params.notes,
  };
}
