import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { IconArrowDown } from "../../ui/icons.ts";
import type { TranscriptRow } from "./transcript-rows.ts";
import { TranscriptRowView } from "./transcript-row-view.tsx";

export interface TranscriptListProps {
  readonly rows: readonly TranscriptRow[];
  readonly runId: string;
  /** Stay at the end as long as the viewer is there. */
  readonly follow: boolean;
  readonly line: number | undefined;
  readonly indexOf: (seq: number) => number;
}

const ROW_ESTIMATE_PX = 36;
const AT_END_PX = 40;

/** The rows in a scrolling box; only those in sight are in the page. */
export function TranscriptList({ rows, runId, follow, line, indexOf }: TranscriptListProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_ESTIMATE_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 12,
  });
  const toEnd = useCallback(() => {
    virtual.scrollToIndex(rows.length - 1, { align: "end" });
  }, [virtual, rows.length]);

  const target = line === undefined ? -1 : indexOf(line);
  const stoodAt = useRef(-1);
  useEffect(() => {
    if (target < 0 || stoodAt.current === target) return;
    stoodAt.current = target;
    virtual.scrollToIndex(target, { align: "center" });
  }, [target, virtual]);

  useLayoutEffect(() => {
    if (follow && atEnd && line === undefined) toEnd();
  }, [follow, atEnd, line, rows, toEnd]);

  const onScroll = () => {
    const element = box.current;
    if (element === null) return;
    setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < AT_END_PX);
  };

  return (
    <div className="m-transcript">
      <div
        ref={box}
        className="m-transcript-box"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t("transcript.label", { run: runId })}
        onScroll={onScroll}
      >
        <div className="m-transcript-all" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className="m-transcript-place"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <TranscriptRowView row={row} runId={runId} marked={item.index === target} />
              </div>
            );
          })}
        </div>
      </div>
      {atEnd ? null : (
        <Button
          className="m-to-end"
          size="compact-sm"
          variant="default"
          leftSection={<IconArrowDown size={14} />}
          onClick={toEnd}
        >
          {t("transcript.toEnd")}
        </Button>
      )}
    </div>
  );
}
