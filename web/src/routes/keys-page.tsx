import "../features/keys/keys.css";
import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { budgetsQuery, gatewayKeysQuery, gatewayKeyUseQuery } from "../api/gateway-queries.ts";
import { GatewayFrame } from "../features/gateway/gateway-frame.tsx";
import { KeyRow } from "../features/keys/key-row.tsx";
import { KEY_KINDS, KEY_STATES, parseKeySearch } from "../features/keys/key-search.ts";
import { fitsKeySearch } from "../features/keys/key-state.ts";
import { NewKeyModal } from "../features/keys/new-key-modal.tsx";
import { useMay } from "../features/shell/use-may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { IconPlus, IconSearch } from "../ui/icons.ts";
import { LoadMore } from "../ui/load-more.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";
import { useNow } from "../ui/use-now.ts";

const SEARCH_MS = 200;
const PAGE = 100;
const DEFAULT_WARN_AT = 0.8;

/** Virtual keys of the gateway: whose they are, what they may do and spend, and who uses them. */
export function KeysPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/gateway/keys" });
  const navigate = useNavigate({ from: "/gateway/keys" });
  const may = useMay("admin");
  const nowMs = useNow();
  const [creating, create] = useDisclosure(false);
  const [text, setText] = useState(search.q ?? "");
  const [shown, setShown] = useState(PAGE);
  const list = useQuery(gatewayKeysQuery());
  const use = useQuery(gatewayKeyUseQuery()).data?.items ?? [];
  const budgets = useQuery(budgetsQuery()).data;
  const set = (part: Readonly<Record<string, unknown>>) =>
    void navigate({ search: (old) => parseKeySearch({ ...old, ...part }), replace: true });
  const setQ = useDebouncedCallback((q: string) => set({ q }), SEARCH_MS);
  const keys = list.data?.items;
  const fitting = keys?.filter((key) => fitsKeySearch(key, search, nowMs));
  return (
    <GatewayFrame
      page="keys"
      actions={
        may ? (
          <Button leftSection={<IconPlus size={14} />} onClick={create.open}>
            {t("keys.new")}
          </Button>
        ) : undefined
      }
    >
      <div className="m-filters" role="search" aria-label={t("keys.filter.label")}>
        <SegmentedControl
          className="m-filter-wide"
          aria-label={t("keys.filter.state")}
          value={search.state ?? "active"}
          onChange={(state) => set({ state })}
          data={KEY_STATES.map((state) => ({ value: state, label: t(`keys.filter.${state}`) }))}
        />
        <Select
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
          aria-label={t("keys.form.kind")}
          placeholder={t("keys.form.kind")}
          data={KEY_KINDS.map((kind) => ({ value: kind, label: t(`keys.kind.${kind}`) }))}
          value={search.kind ?? null}
          onChange={(kind) => set({ kind })}
        />
        <TextInput
          className="m-filter-text"
          type="search"
          aria-label={t("keys.filter.text")}
          placeholder={t("keys.filter.text")}
          leftSection={<IconSearch size={14} aria-hidden="true" />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setQ(event.currentTarget.value);
          }}
        />
      </div>
      <div className="m-panel">
        {list.error !== null && keys === undefined ? (
          <QueryError error={list.error} onRetry={() => void list.refetch()} />
        ) : fitting === undefined ? (
          <div aria-busy="true">
            <RowSkeletons rows={6} height={88} />
          </div>
        ) : fitting.length === 0 ? (
          keys?.length === 0 ? (
            <EmptyState text={t("keys.none")} command="miyabi setup --all" />
          ) : (
            <EmptyState text={t("keys.noneFits")} />
          )
        ) : (
          <>
            <ul className="m-gateway-rows">
              {fitting.slice(0, shown).map((key) => (
                <KeyRow
                  key={key.id}
                  of={key}
                  use={use.find(({ keyId }) => keyId === key.id) ?? null}
                  budgets={
                    budgets?.items.filter(({ scope, owner }) => scope === "key" && owner === key.id) ?? []
                  }
                  warnAt={budgets?.warnAt ?? DEFAULT_WARN_AT}
                  mayRevoke={may}
                  nowMs={nowMs}
                />
              ))}
            </ul>
            <LoadMore
              list={{
                hasNextPage: fitting.length > shown,
                isFetchingNextPage: false,
                fetchNextPage: async () => setShown(shown + PAGE),
              }}
            />
          </>
        )}
      </div>
      <NewKeyModal opened={creating} onClose={create.close} />
    </GatewayFrame>
  );
}
