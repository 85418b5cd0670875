import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { RunView, TaskDetail } from "../../../../src/contract/index.ts";
import { formatClock, formatDuration } from "../../ui/format.ts";
import { Panel } from "../../ui/panel.tsx";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";
import { useNow } from "../../ui/use-now.ts";
import { StepName } from "./step-name.tsx";
import { TimelineRun } from "./timeline-run.tsx";
import { layoutTimeline } from "./timeline-layout.ts";

export interface TaskTimelineProps {
  readonly task: TaskDetail;
  readonly onRun: (run: RunView) => void;
}

/** Steps as lanes, runs as bars: retries, rounds and waits over time; long pauses are folded. */
export function TaskTimeline({ task, onRun }: TaskTimelineProps) {
  const { t } = useTranslation();
  const now = useNow();
  const moving = task.runs.some(({ finishedAt }) => finishedAt === null) || task.state === "waiting";
  const { lanes, ticks, folds } = layoutTimeline(task, moving ? now : Date.parse(task.updatedAt));
  const percent = (share: number) => `${share * 100}%`;
  const current = lanes.find(({ step }) => step.name === task.step)?.step;
  return (
    <Panel
      title={t("timeline.title")}
      aside={
        current === undefined ? null : (
          <span className="m-dim m-small">
            {t("timeline.position", { at: current.position + 1, of: lanes.length })}
          </span>
        )
      }
      flush
    >
      <div className="m-gantt" tabIndex={0} role="group" aria-label={t("timeline.title")}>
        <div className="m-gantt-grid">
          {lanes.map(({ step, bars, wait }) => [
            <div key={step.name} className="m-gantt-step" title={t(`state.step.${step.state}`)}>
              <Sign look={LOOKS.step[step.state]} />
              <span className={step.state === "pending" ? "m-cut m-dim" : "m-cut"}>
                <StepName name={step.name} />
              </span>
            </div>,
            <div key={`${step.name}-lane`} className="m-gantt-lane">
              {folds.map(({ start, end }) => (
                <div
                  key={start}
                  className="m-gantt-break"
                  style={{ left: percent(start), width: percent(end - start) }}
                />
              ))}
              {ticks.map(({ at }) => (
                <div key={at} className="m-gantt-tick" style={{ left: percent(at) }} />
              ))}
              {wait === null ? null : (
                <div
                  className="m-gantt-wait"
                  style={{ left: percent(wait.start), width: percent(wait.end - wait.start) }}
                />
              )}
              {bars.map((bar) => (
                <TimelineRun key={bar.run.id} bar={bar} onRun={onRun} />
              ))}
            </div>,
          ])}
          <div />
          <div className="m-gantt-axis">
            {ticks.map(({ at, ms }) => (
              <span key={at} style={{ left: percent(at) }}>
                {formatClock(ms)}
              </span>
            ))}
          </div>
          {folds.length === 0 ? null : (
            <>
              <div />
              <p className="m-dim m-small">
                <Tooltip
                  label={folds.map(({ durationMs }) => formatDuration(durationMs)).join(t("common.comma"))}
                >
                  <span tabIndex={0}>{t("timeline.folded", { count: folds.length })}</span>
                </Tooltip>
              </p>
            </>
          )}
        </div>
      </div>
    </Panel>
  );
}
