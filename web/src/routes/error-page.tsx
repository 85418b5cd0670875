import { useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { QueryError } from "../ui/query-error.tsx";

/** Shown where a page failed to draw. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <QueryError
      error={error}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
