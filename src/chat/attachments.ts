import { AppError } from "../base/index.ts";
import { LARGEST_IMAGE_BYTES, LARGEST_TEXT_BYTES, type AttachmentView } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";

export interface Attachment extends AttachmentView {
  readonly content: Buffer;
}

const MOST_WAITING = 50;
const KEPT = "24 hours";

/** What an image begins with. */
const IMAGES: readonly { readonly mediaType: string; readonly starts: (content: Buffer) => boolean }[] = [
  {
    mediaType: "image/png",
    starts: (content) => content.subarray(0, 8).toString("latin1") === "\x89PNG\r\n\x1a\n",
  },
  {
    mediaType: "image/jpeg",
    starts: (content) => content.subarray(0, 3).toString("latin1") === "\xff\xd8\xff",
  },
  {
    mediaType: "image/gif",
    starts: (content) => /^GIF8[79]a/.test(content.subarray(0, 6).toString("latin1")),
  },
  {
    mediaType: "image/webp",
    starts: (content) =>
      content.subarray(0, 4).toString("latin1") === "RIFF" &&
      content.subarray(8, 12).toString("latin1") === "WEBP",
  },
];

/**
 * Stores a text or an image, told by its content and not by its name.
 * @throws input.invalid where it is neither; input.too_large; api.rate_limited where too many wait for a message
 */
export async function storeAttachment(
  db: Queryable,
  given: { readonly owner: string; readonly name: string; readonly content: Buffer },
): Promise<AttachmentView> {
  const { owner, content } = given;
  const name = nameOf(given.name);
  const mediaType = mediaTypeOf(name, content);
  const { rows } = await db.query<{ id: string }>(
    `insert into miyabi.chat_attachments (owner, name, media_type, content, size_bytes)
     select $1, $2, $3, $4, $5 where (
       select count(*) from miyabi.chat_attachments a where a.owner = $1
         and not exists (select 1 from miyabi.chat_message_attachments l where l.attachment_id = a.id)) < ${MOST_WAITING}
     returning id`,
    [owner, name, mediaType, content, content.length],
  );
  const id = rows[0]?.id;
  if (id === undefined)
    throw new AppError({
      code: "api.rate_limited",
      message: `${MOST_WAITING} attachments wait for a message already.`,
      fix: "Send a message with some of them first.",
    });
  return { id, name, mediaType, sizeBytes: content.length };
}

function mediaTypeOf(name: string, content: Buffer): string {
  const image = IMAGES.find(({ starts }) => starts(content));
  const largest = image === undefined ? LARGEST_TEXT_BYTES : LARGEST_IMAGE_BYTES;
  if (content.length > largest)
    throw new AppError({
      code: "input.too_large",
      message: `${name} has ${content.length} bytes; ${image === undefined ? "a text" : "an image"} may have ${largest}.`,
      fix: "Attach a smaller part of it.",
      details: { field: "data" },
    });
  if (image !== undefined) return image.mediaType;
  if (isText(content)) return "text/plain";
  throw new AppError({
    code: "input.invalid",
    message: `${name}: neither a text in UTF-8 nor a PNG, JPEG, GIF or WebP image.`,
    fix: "Attach a text or an image of one of these kinds.",
    details: { field: "data" },
  });
}

function isText(content: Buffer): boolean {
  if (content.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(content);
    return true;
  } catch {
    return false;
  }
}

/** The last part of a path, without characters that do not show. */
function nameOf(given: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? "";
  const clean = last.replace(/[\p{C}"]/gu, "").trim();
  return clean === "" ? "attachment" : clean;
}

/** With its content; null where there is none or it is somebody else's. */
export async function readAttachment(db: Queryable, owner: string, id: string): Promise<Attachment | null> {
  const { rows } = await db.query<{ name: string; media_type: string; content: Buffer }>(
    "select name, media_type, content from miyabi.chat_attachments where id = $1 and owner = $2",
    [id, owner],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : { id, name: row.name, mediaType: row.media_type, sizeBytes: row.content.length, content: row.content };
}

/** Gives a message its attachments, in this order. @throws input.invalid where one is unknown or somebody else's */
export async function linkAttachments(
  db: Queryable,
  link: { readonly owner: string; readonly messageId: string; readonly ids: readonly string[] },
): Promise<void> {
  const ids = [...new Set(link.ids)];
  if (ids.length === 0) return;
  // Locked against the sweep.
  const { rowCount } = await db.query(
    "select 1 from miyabi.chat_attachments where id = any($1::uuid[]) and owner = $2 for share",
    [ids, link.owner],
  );
  if (rowCount !== ids.length)
    throw new AppError({
      code: "input.invalid",
      message: "attachmentIds: one of them is gone; one that no message takes is kept for a day.",
      fix: "Attach the file again.",
      details: { field: "attachmentIds" },
    });
  await db.query(
    `insert into miyabi.chat_message_attachments (message_id, position, attachment_id)
     select $1, position, id from unnest($2::uuid[]) with ordinality as given (id, position)`,
    [link.messageId, ids],
  );
}

/** Attachments of messages, with their contents. */
export async function attachmentsOf(
  db: Queryable,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Attachment[]>> {
  const { rows } = await db.query<{
    message_id: string;
    id: string;
    name: string;
    media_type: string;
    content: Buffer;
  }>(
    `select l.message_id, a.id, a.name, a.media_type, a.content
     from miyabi.chat_message_attachments l join miyabi.chat_attachments a on a.id = l.attachment_id
     where l.message_id = any($1) order by l.message_id, l.position`,
    [messageIds],
  );
  const found = new Map<string, Attachment[]>();
  for (const row of rows) {
    const list = found.get(row.message_id) ?? [];
    found.set(row.message_id, list);
    list.push({
      id: row.id,
      name: row.name,
      mediaType: row.media_type,
      sizeBytes: row.content.length,
      content: row.content,
    });
  }
  return found;
}

/** Removes what no message has (any more) and is older than a day. */
export async function sweepAttachments(db: Queryable): Promise<void> {
  await db.query(
    `delete from miyabi.chat_attachments a where created_at < now() - interval '${KEPT}'
       and not exists (select 1 from miyabi.chat_message_attachments l where l.attachment_id = a.id)`,
  );
}
