import { ensurePrivateDirectory, readFileIfExists, writeFileAtomic, type Home } from "../base/index.ts";

interface SecretsParams {
  readonly home: Home;
  readonly app: {
    readonly id: number;
    readonly pem: string;
    readonly webhook_secret?: string | null | undefined;
  };
}

/** Names of variables carry the app's number: a new app never overwrites the key of another one. */
export const keyNameOf = (id: number): string => `GITHUB_APP_${id}_PRIVATE_KEY`;
export const hookSecretNameOf = (id: number): string => `GITHUB_APP_${id}_WEBHOOK_SECRET`;

/** Adds the app's secrets to `.env`, in one step and for this user alone; everything else in it stays. Gives its path. */
export async function keepSecrets({ home, app }: Readonly<SecretsParams>): Promise<string> {
  await ensurePrivateDirectory(home.root, 0o711);
  const before = (await readFileIfExists(home.envFile)) ?? "";
  const lines = [
    `${keyNameOf(app.id)}="${app.pem.trim().replaceAll("\n", "\\n")}\\n"`,
    ...(app.webhook_secret ? [`${hookSecretNameOf(app.id)}=${app.webhook_secret}`] : []),
  ];
  const separator = before === "" || before.endsWith("\n") ? "" : "\n";
  await writeFileAtomic(home.envFile, `${before}${separator}${lines.join("\n")}\n`);
  return home.envFile;
}

/** Apps whose key is kept, the newest first. */
export function keptApps(
  secrets: ReadonlyMap<string, string>,
): readonly { readonly id: number; readonly privateKey: string }[] {
  return [...secrets]
    .flatMap(([name, privateKey]) => {
      const id = Number(/^GITHUB_APP_(\d+)_PRIVATE_KEY$/.exec(name)?.[1]);
      return Number.isSafeInteger(id) ? [{ id, privateKey }] : [];
    })
    .sort((a, b) => b.id - a.id);
}
