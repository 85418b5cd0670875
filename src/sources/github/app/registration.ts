import { AppError, type Clock, type Random } from "../../../base/index.ts";
import { apiUrlOf } from "./addresses.ts";
import { exchangeCode, type NewApp } from "./conversion.ts";
import { startManifestListener } from "./manifest-listener.ts";
import { manifestOf, registrationPage } from "./manifest.ts";
import { installUrl } from "./refusals.ts";

export interface RegistrationParams {
  /** Where people open the server, e.g. `https://github.com`. */
  readonly webUrl: string;
  /** Organization that is to own the app; null: the person does. */
  readonly organization: string | null;
  readonly name: string;
  readonly homepage: string;
  /** Where GitHub reaches our webhooks; null: nowhere. */
  readonly publicUrl: string | null;
  readonly port: number | null;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** The person has to open this address on this machine. */
  readonly onReady: (url: string) => void;
  /** Keeps the only copy of the app's key; the person is sent on when it is kept. */
  readonly keep: (app: NewApp) => Promise<void>;
}

/**
 * Has a person register an app of ours on GitHub, from a manifest. Where we die before `keep` is through, the app may be there without
 * us; nothing else is left behind.
 * @throws process.timeout where nobody finished in time, github.refused, github.unavailable, and what `keep` throws
 */
export async function registerApp(params: Readonly<RegistrationParams>): Promise<NewApp> {
  const { clock, timeoutMs } = params;
  const listener = await startManifestListener({
    ...params,
    registration: registrationPage(params.webUrl, params.organization),
    manifestFor: (redirectUrl) => manifestOf({ ...params, redirectUrl }),
    finish: async (code) => {
      const app = await exchangeCode({ apiUrl: apiUrlOf(params.webUrl), code, clock });
      await params.keep(app);
      return { value: app, next: installUrl(app) };
    },
  });
  const patience = new AbortController();
  clock.sleep(timeoutMs, patience.signal).then(
    () =>
      listener.giveUp(
        new AppError({
          code: "process.timeout",
          message: `Nobody registered the app on GitHub within ${Math.round(timeoutMs / 1_000)} s. Nothing was written.`,
          fix: "miyabi init --github",
        }),
      ),
    () => {},
  );
  try {
    params.onReady(listener.url);
    return await listener.result;
  } finally {
    patience.abort();
    await listener.close();
  }
}
