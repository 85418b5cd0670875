import "react-diff-view/style/index.css";
import "./changes.css";
import { SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { parseDiff } from "react-diff-view";
import { useTranslation } from "react-i18next";
import { useWord } from "../../i18n/use-word.ts";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { taskDiffQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { shortCommit } from "../../ui/format.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { FileDiff } from "./file-diff.tsx";
import { FileList } from "./file-list.tsx";

export interface ChangesTabProps {
  readonly task: TaskDetail;
  readonly runId: string | undefined;
}

/** What the task changed, by file; of one run where one is chosen. */
export function ChangesTab({ task, runId }: ChangesTabProps) {
  const { t } = useTranslation();
  const word = useWord();
  const navigate = useNavigate({ from: "/tasks/$taskId" });
  const [split, setSplit] = useState(false);
  const withCommit = task.runs.filter(({ commit, kind }) => commit !== null && kind === "agent");
  const chosen = withCommit.some(({ id }) => id === runId) ? runId : undefined;
  const { data, error, refetch } = useQuery(taskDiffQuery(task.id, chosen));
  const files = useMemo(() => (data === undefined || data.patch === "" ? [] : parseDiff(data.patch)), [data]);
  return (
    <>
      <div className="m-panel-head">
        <Select
          aria-label={t("changes.which")}
          data={[
            { value: "", label: t("changes.all") },
            ...withCommit.map(({ id, round, step }) => ({
              value: id,
              label: t("changes.ofRun", { id, round, step: word(`step.${step}`, step) }),
            })),
          ]}
          value={chosen ?? ""}
          allowDeselect={false}
          onChange={(run) =>
            void navigate({
              search: { tab: "changes", ...(run === null || run === "" ? {} : { run }) },
              replace: true,
            })
          }
          w={240}
        />
        <span className="m-grow m-dim m-small">
          {data === undefined ? null : (
            <code>
              {shortCommit(data.base)}…{shortCommit(data.head)}
            </code>
          )}
        </span>
        <span className="m-wide-only">
          <SegmentedControl
            aria-label={t("changes.layout")}
            value={split ? "split" : "unified"}
            onChange={(value) => setSplit(value === "split")}
            data={[
              { value: "unified", label: t("changes.unified") },
              { value: "split", label: t("changes.split") },
            ]}
          />
        </span>
      </div>
      {error !== null && data === undefined ? (
        <QueryError error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <RowSkeletons rows={10} height={28} />
      ) : data.files.length === 0 ? (
        <EmptyState text={t("changes.none")} />
      ) : (
        <>
          <FileList files={data.files} />
          {data.truncated ? <p className="m-changes-note">{t("changes.truncated")}</p> : null}
          {files.map((file, index) => (
            <FileDiff key={`${file.oldPath}-${file.newPath}`} file={file} split={split} index={index} />
          ))}
        </>
      )}
    </>
  );
}
