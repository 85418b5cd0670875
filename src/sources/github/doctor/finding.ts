/** What one check of the connection found. */
export interface Finding {
  readonly name: string;
  /** `warn`: it works, with something missing that not everybody needs. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** A command to paste or a sentence; null where nothing is to be done. */
  readonly fix: string | null;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail, fix: null });
export const warn = (name: string, detail: string, fix: string | null): Finding => ({
  name,
  state: "warn",
  detail,
  fix,
});
export const fail = (name: string, detail: string, fix: string | null): Finding => ({
  name,
  state: "fail",
  detail,
  fix,
});
