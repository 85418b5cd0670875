import { createHmac } from "node:crypto";

/** Makes the virtual key with these characters where it does not exist; otherwise gives it the present terms. */
export type EnsureKey = (params: { readonly key: string; readonly name: string }) => Promise<void>;

/**
 * The virtual key of each person for the chat. It is derived from a secret of the installation, so that no key needs to
 * be kept anywhere and a restart makes no new ones; revoking it ends that person's chat.
 */
export function createPersonKeys(params: {
  readonly secret: string;
  readonly ensure: EnsureKey;
}): (person: string) => Promise<string> {
  const ensured = new Map<string, Promise<string>>();
  return (person) => {
    const known = ensured.get(person);
    if (known !== undefined) return known;
    const key = `mk-${createHmac("sha256", params.secret).update(`chat of ${person}`).digest("base64url")}`;
    const made = params.ensure({ key, name: `chat of ${person}` }).then(() => key);
    ensured.set(person, made);
    made.catch(() => ensured.delete(person));
    return made;
  };
}
