/** What git is about to do with the server. */
export interface GitOperation {
  readonly access: "read" | "push";
  /** Present name, `owner/name`. */
  readonly repository: string;
}

/** As whom we ask GitHub about one repository. */
export interface Identity {
  /**
   * Value of the Authorization header for the API.
   * @throws github.not_installed, github.suspended, github.unauthorized, github.unavailable
   */
  authorization(): Promise<string>;
  /** What to try after `refused` was not accepted, for the n-th time in a row; null: nothing better is to be had. */
  renewed(refused: string, times: number): Promise<string | null>;
  /** Throws where the reason why a repository is not shown to us is known. @throws github.not_installed */
  requireAccess(): Promise<void>;
  /** Runs one git operation with the value of an Authorization header that is for this operation. @throws as `authorization` */
  withGit<T>(operation: GitOperation, work: (authorization: string) => Promise<T>): Promise<T>;
}

/** Value of the Authorization header with which git accepts a token. */
export const basicAuthorization = (token: string): string =>
  `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;

/** A personal token: the same one for everything, as long as GitHub accepts it. */
export function tokenIdentity(token: string): Identity {
  return {
    authorization: () => Promise.resolve(`token ${token}`),
    renewed: () => Promise.resolve(null),
    requireAccess: () => Promise.resolve(),
    withGit: (_operation, work) => work(basicAuthorization(token)),
  };
}
