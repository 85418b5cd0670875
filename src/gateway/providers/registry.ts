import type { GatewaySettings } from "../settings.ts";
import { openProvider, type ProviderChoice, type ReadSealedKey, type ReadSecret } from "./provider.ts";

/** Every provider of one configuration. */
export interface Registry {
  readonly settings: GatewaySettings;
  readonly names: readonly string[];
  /** Null: no such provider is configured. */
  get(name: string): ProviderChoice | null;
}

interface RegistryParams {
  readonly readSecret: ReadSecret;
  readonly readSealedKey: ReadSealedKey;
}

export interface Registries {
  /** The registry of a configuration; the same object as long as neither it nor a key changes. */
  of(settings: GatewaySettings): Registry;
  /** A sealed key changed. */
  forget(): void;
}

/** Keeps the registry of the configuration that was asked for last: it is read once and used by every call. */
export function createRegistries(params: Readonly<RegistryParams>): Registries {
  let last: Registry | null = null;
  return {
    of: (settings) => (last?.settings === settings ? last : (last = createRegistry(settings, params))),
    forget: () => {
      last = null;
    },
  };
}

function createRegistry(settings: GatewaySettings, params: Readonly<RegistryParams>): Registry {
  const opened = new Map(
    Object.entries(settings.providers).map(([name, one]) => [
      name,
      openProvider({ name, settings: one, ...params }),
    ]),
  );
  return { settings, names: [...opened.keys()], get: (name) => opened.get(name) ?? null };
}
