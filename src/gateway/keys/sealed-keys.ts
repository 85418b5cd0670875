import { messageOf, readFileIfExists, writeFileAtomic, type Log } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";

/** Keys of providers, encrypted (age) in the database for an identity that lies in a file of the installation. */
export interface SealedKeys {
  /** Reads all of them into memory. What cannot be opened is logged by its provider's name and left out. */
  load(): Promise<void>;
  /** The key of a provider; never logged, never part of an answer. */
  read(provider: string): string | undefined;
  set(provider: string, key: string, by: string): Promise<void>;
  /** Whether there was one. */
  remove(provider: string): Promise<boolean>;
}

interface SealedKeysParams {
  readonly database: Database;
  /** Holds the identity; made, for this user only, with the first key. */
  readonly identityFile: string;
  readonly log: Log;
}

/** The database alone, or a backup of it, opens nothing: the identity is not in it. */
export function createSealedKeys({ database, identityFile, log }: Readonly<SealedKeysParams>): SealedKeys {
  const keys = new Map<string, string>();
  // Loaded on demand: most installations keep their keys in `.env`.
  const age = () => import("age-encryption");

  const identity = async (): Promise<string> => {
    const known = (await readFileIfExists(identityFile))?.trim();
    if (known !== undefined && known !== "") return known;
    const made = await (await age()).generateX25519Identity();
    await writeFileAtomic(identityFile, `${made}\n`);
    return made;
  };

  return {
    read: (provider) => keys.get(provider),
    load: async () => {
      const { rows } = await database.query<{ provider: string; sealed: Buffer }>(
        "select provider, sealed from miyabi.gateway_provider_keys",
      );
      keys.clear();
      if (rows.length === 0) return;
      const { Decrypter } = await age();
      const decrypter = new Decrypter();
      decrypter.addIdentity(await identity());
      for (const { provider, sealed } of rows)
        try {
          keys.set(provider, await decrypter.decrypt(new Uint8Array(sealed), "text"));
        } catch (error) {
          log.error(
            { provider, error: messageOf(error) },
            "the sealed key of a provider cannot be opened; set it again",
          );
        }
    },
    set: async (provider, key, by) => {
      const { Encrypter, identityToRecipient } = await age();
      const encrypter = new Encrypter();
      encrypter.addRecipient(await identityToRecipient(await identity()));
      const sealed = await encrypter.encrypt(key);
      await database.query(
        `insert into miyabi.gateway_provider_keys (provider, sealed, created_by) values ($1, $2, $3)
         on conflict (provider) do update set sealed = excluded.sealed, created_by = excluded.created_by, created_at = now()`,
        [provider, Buffer.from(sealed), by],
      );
      keys.set(provider, key);
    },
    remove: async (provider) => {
      const { rowCount } = await database.query(
        "delete from miyabi.gateway_provider_keys where provider = $1",
        [provider],
      );
      keys.delete(provider);
      return rowCount > 0;
    },
  };
}
