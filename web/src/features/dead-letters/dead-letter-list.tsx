import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { deadLettersQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { DeadLetterItem } from "./dead-letter-item.tsx";

/** What was given up after its last try, the newest first. */
export function DeadLetterList() {
  const { t } = useTranslation();
  const query = useInfiniteQuery(deadLettersQuery());
  const letters = query.data?.pages.flatMap((page) => page.items);
  if (query.error !== null && letters === undefined)
    return <QueryError error={query.error} onRetry={() => void query.refetch()} />;
  if (letters === undefined) return <RowSkeletons rows={4} height={56} />;
  if (letters.length === 0)
    return <EmptyState text={t("deadLetters.none")} command="miyabi dead-letters list" />;
  return (
    <>
      <ul className="m-list">
        {letters.map((letter) => (
          <DeadLetterItem key={letter.id} letter={letter} />
        ))}
      </ul>
      <LoadMore list={query} />
    </>
  );
}
