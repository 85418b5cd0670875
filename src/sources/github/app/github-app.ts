import { z } from "zod";
import type { Identity } from "./identity.ts";

const permissions = z.record(z.string(), z.string()).default({});
export const appReply = z.object({
  slug: z.string(),
  html_url: z.string(),
  permissions,
  events: z.array(z.string()).default([]),
});
export const installationReply = z.object({
  id: z.number().int(),
  permissions,
  suspended_at: z.string().nullish(),
  html_url: z.string().optional(),
});
export type AppFacts = z.infer<typeof appReply>;
export type InstallationFacts = z.infer<typeof installationReply>;

/** Our GitHub App: what it is, where it is installed, and the identity that an installation gives us. */
export interface GitHubApp {
  /** @throws github.unauthorized, github.unavailable */
  facts(): Promise<AppFacts>;
  /** Its installation for a repository, asked for anew. @throws github.not_installed, github.unauthorized, github.unavailable */
  findInstallation(repository: string): Promise<InstallationFacts>;
  identityFor(repository: string): Identity;
  /** One request as the app itself. `repository`: what it is about, for the message of a refusal. @throws as `facts` */
  ask<T>(
    route: string,
    params: Readonly<Record<string, unknown>>,
    reply: z.ZodType<T>,
    repository?: string,
  ): Promise<T>;
}
