import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ModelHealthView, ProviderView } from "../../../../src/contract/index.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { ModelHealth } from "./model-health.tsx";
import { ProviderKeyModal } from "./provider-key-modal.tsx";
import { conditionOf } from "./provider-state.ts";

export interface ProviderRowProps {
  readonly of: ProviderView;
  /** Of its models, in the last 24 hours. */
  readonly health: readonly ModelHealthView[];
  readonly mayChange: boolean;
}

/** A provider: whether it can be called, where its key comes from, and how its models did today. */
export function ProviderRow({ of: provider, health, mayChange }: ProviderRowProps) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const condition = conditionOf(provider);
  const keyAction = t(provider.key === null ? "providers.setKey" : "providers.changeKey");
  const isConfigured = provider.state !== "available";
  return (
    <li className="m-gateway-row m-provider">
      <div className="m-gateway-notes">
        <span className="m-gateway-name">{provider.name}</span>
        <span className="m-dim m-small">
          {provider.title}
          {provider.free ? ` · ${t("providers.free")}` : ""}
        </span>
        {provider.baseUrl === null ? null : <span className="m-dim m-mono">{provider.baseUrl}</span>}
      </div>
      <div className="m-gateway-notes m-small">
        <StateBadge of="provider" state={condition} />
        {isConfigured ? (
          <span className="m-dim">{t(`providers.key.${provider.key ?? keyless()}`)}</span>
        ) : null}
        {condition === "out" || condition === "trying" ? (
          <span className="m-dim">{t(`providers.breaker.${condition}`)}</span>
        ) : null}
        {isConfigured && mayChange && !provider.free ? (
          <div>
            <Button
              variant="default"
              aria-label={`${keyAction}: ${provider.name}`}
              onClick={() => setChanging(true)}
            >
              {keyAction}
            </Button>
          </div>
        ) : null}
      </div>
      <div className="m-stack">
        {!isConfigured ? (
          <CommandLine command={`gateway: { providers: { ${provider.name}: ${settingsOf()} } }`} />
        ) : health.length === 0 ? (
          <span className="m-dim m-small">{t("providers.noCalls")}</span>
        ) : (
          <>
            <ModelHealth models={health} />
            <Link to="/gateway/calls" search={{ provider: provider.name }} className="m-small m-underline">
              {t("providers.toCalls")}
            </Link>
          </>
        )}
      </div>
      <ProviderKeyModal of={provider} opened={changing} onClose={() => setChanging(false)} />
    </li>
  );

  function keyless(): "missing" | "none" {
    return provider.state === "no-key" ? "missing" : "none";
  }

  /** What has to be said about a provider of this kind before it is one. */
  function settingsOf(): string {
    if (provider.kind === "bedrock") return "{ region: us-east-1 }";
    return provider.baseUrl === null
      ? `{ kind: ${provider.kind}, baseUrl: "https://…" }`
      : `{ kind: ${provider.kind} }`;
  }
}
