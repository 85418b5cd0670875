import "./load-more.css";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** What a query that is fetched page by page says about its next page. */
export interface PagedList {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly fetchNextPage: () => Promise<unknown>;
}

export interface LoadMoreProps {
  readonly list: PagedList;
}

/** Button at the end of a list that has another page; nothing at the end of one that has none. */
export function LoadMore({ list }: LoadMoreProps) {
  const { t } = useTranslation();
  if (!list.hasNextPage) return null;
  return (
    <div className="m-more">
      <Button
        variant="subtle"
        color="gray"
        loading={list.isFetchingNextPage}
        onClick={() => void list.fetchNextPage()}
      >
        {t("common.more")}
      </Button>
    </div>
  );
}
