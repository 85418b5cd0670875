import { chmod, link, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { diskError, ensurePrivateDirectory, errnoOf, type Random } from "../base/index.ts";

interface TokenFileParams {
  readonly file: string;
  readonly random: Pick<Random, "token">;
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * The token that a file holds, made (32 random bytes, mode 0600) where there is none. Processes that ask at the same
 * time get the same token; after a crash the file is whole or absent. An unreadable content is replaced.
 * @throws disk.full, disk.not_writable
 */
export async function openTokenFile({ file, random }: Readonly<TokenFileParams>): Promise<string> {
  await ensurePrivateDirectory(path.dirname(file));
  try {
    const known = await readToken(file);
    if (known !== null) return known;
    return await createToken(file, random);
  } catch (error) {
    throw diskError(file, error);
  }
}

async function createToken(file: string, random: Pick<Random, "token">): Promise<string> {
  const token = random.token();
  const temporary = `${file}.${random.token(6)}.tmp`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike a rename, a link never replaces the token that somebody else made meanwhile.
    await link(temporary, file);
    return token;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const other = await readToken(file);
    if (other !== null) return other;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Null where there is no file; one that holds no token is removed. */
async function readToken(file: string): Promise<string | null> {
  try {
    const text = (await readFile(file, "utf8")).trim();
    if (TOKEN.test(text)) {
      await chmod(file, 0o600);
      return text;
    }
    await rm(file, { force: true });
    return null;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}
