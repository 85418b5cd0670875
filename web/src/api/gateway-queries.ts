import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call } from "./client.ts";

export interface CallFilter {
  readonly outcome?: "ok" | "rejected" | "failed" | "cut" | "aborted";
  readonly provider?: string;
  readonly model?: string;
  readonly task?: string;
  readonly key?: string;
}

/** How often that is asked for of which no news comes; not while the window is hidden. */
const AGAIN_MS = 10_000;

export const callsQuery = (filter: CallFilter) =>
  infiniteQueryOptions({
    queryKey: ["calls", filter],
    queryFn: ({ signal, pageParam }) =>
      call("listModelCalls", {
        query: { ...filter, limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });

/** The steps of the chain that a call is one of, first to last. */
export const chainQuery = (id: string) =>
  queryOptions({
    queryKey: ["chain", id],
    queryFn: async ({ signal }) => {
      const { items } = await call("listModelCalls", { query: { chain: id, limit: 50 }, signal });
      return items.toReversed();
    },
  });

/** What was said in a call. Each asking is logged, so that an answer is kept for as long as the page shows it. */
export const callPromptQuery = (id: string) =>
  queryOptions({
    queryKey: ["call-prompt", id],
    queryFn: ({ signal }) => call("readModelCallPrompt", { params: { id }, signal }),
    staleTime: Infinity,
    gcTime: 0,
  });

export const callSummaryQuery = (range: "24h" | "7d" | "30d", filter: CallFilter) =>
  queryOptions({
    queryKey: ["call-summary", range, filter],
    queryFn: ({ signal }) => call("summarizeModelCalls", { query: { ...filter, range }, signal }),
    refetchInterval: AGAIN_MS,
  });

export const gatewayKeysQuery = () =>
  queryOptions({ queryKey: ["gateway-keys"], queryFn: ({ signal }) => call("listGatewayKeys", { signal }) });

export const gatewayKeyUseQuery = () =>
  queryOptions({
    queryKey: ["gateway-key-use"],
    queryFn: ({ signal }) => call("listGatewayKeyUse", { signal }),
  });

export const budgetsQuery = () =>
  queryOptions({ queryKey: ["gateway-budgets"], queryFn: ({ signal }) => call("listBudgets", { signal }) });

/** Breakers close by themselves, and miyabi.yaml is read again: of neither news comes. */
export const providersQuery = () =>
  queryOptions({
    queryKey: ["gateway-providers"],
    queryFn: ({ signal }) => call("listProviders", { signal }),
    refetchInterval: AGAIN_MS / 10,
  });

export const modelHealthQuery = () =>
  queryOptions({
    queryKey: ["gateway-health"],
    queryFn: ({ signal }) => call("listModelHealth", { signal }),
  });

export const modelPricesQuery = () =>
  queryOptions({
    queryKey: ["gateway-prices"],
    queryFn: ({ signal }) => call("listModelPrices", { signal }),
    refetchInterval: AGAIN_MS,
  });
