import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isSignedOut } from "./api-error.ts";

/** The page's cache. `onSignedOut` is called when any request says that this browser is not signed in. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        // The event stream says when something changed, so nothing is fetched on a hunch.
        staleTime: Infinity,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        networkMode: "always",
        retry: (failures, error) => failures < 3 && isWorthRetrying(error),
        retryDelay: (failures) => Math.min(4000, 300 * 2 ** failures),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}

function isWorthRetrying(error: unknown): boolean {
  return error instanceof ApiError && error.problem.retryable;
}
