import { AppError } from "../../base/index.ts";
import type { Client } from "../client.ts";
import { openJournal } from "./journal.ts";
import { restoreFile } from "./restore.ts";
import type { ToolResult } from "./result.ts";
import { TOOLS, type Place, type ToolName } from "./tools/index.ts";

interface UndoParams {
  readonly name: ToolName;
  readonly place: Place;
  /** @throws daemon.not_running */
  readonly client: () => Promise<Client>;
}

/**
 * Takes the last change of a tool's files back and ends the key that was made for it. The change before it can then be
 * undone in the same way. Repeatable after a crash: the backup goes last.
 * @throws not_found where nothing is left to undo; config.invalid where a file was edited since and cannot be read
 */
export async function undoTool({ name, place, client }: Readonly<UndoParams>): Promise<ToolResult> {
  const journal = openJournal(place, name);
  const { title } = TOOLS[name];
  const last = (await journal.list()).at(-1);
  if (last === undefined)
    throw new AppError({ code: "not_found", message: `Nothing of ${title} is there to undo.`, fix: null });
  const files = [];
  for (const file of last.files) files.push({ file: file.file, restored: await restoreFile(file) });
  const isEnded = last.madeKeyId === null ? null : await end(last.madeKeyId, client);
  await journal.removeLast();
  return {
    tool: name,
    title,
    state: "undone",
    files,
    revoked: isEnded === true ? last.madeKeyId : null,
    notes:
      isEnded === false
        ? [
            `Key ${last.madeKeyId} is still valid, because miyabi did not answer: miyabi keys revoke ${last.madeKeyId}`,
          ]
        : [],
  };
}

/** Whether the key is refused from now on. */
async function end(id: string, client: UndoParams["client"]): Promise<boolean> {
  try {
    await (await client()).call("revokeGatewayKey", { params: { id }, body: {} });
    return true;
  } catch (error) {
    // Another installation's key, or one of a database that is gone.
    return error instanceof AppError && error.code === "not_found";
  }
}
