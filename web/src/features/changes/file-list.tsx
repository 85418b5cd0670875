import { useTranslation } from "react-i18next";
import type { TaskDiff } from "../../../../src/contract/index.ts";

export interface FileListProps {
  readonly files: TaskDiff["files"];
}

/** Changed files with their counts; each leads to its diff. */
export function FileList({ files }: FileListProps) {
  const { t } = useTranslation();
  const insertions = files.reduce((sum, file) => sum + file.insertions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return (
    <div className="m-files">
      <p className="m-dim">{t("changes.total", { count: files.length, insertions, deletions })}</p>
      <ul>
        {files.map((file, index) => (
          <li key={file.path} className="m-row">
            <a href={`#file-${index}`} className="m-mono m-cut m-grow">
              {file.oldPath !== null && file.oldPath !== file.path ? `${file.oldPath} → ` : ""}
              {file.path}
            </a>
            {file.binary ? (
              <span className="m-dim m-small">{t("changes.binary")}</span>
            ) : (
              <span className="m-small m-num">
                <span className="m-tone-done">+{file.insertions}</span>{" "}
                <span className="m-tone-failed">−{file.deletions}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
