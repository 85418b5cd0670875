import { Link } from "@tanstack/react-router";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ModelCallView } from "../../../../src/contract/index.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";
import { LoadMore, type PagedList } from "../../ui/load-more.tsx";
import { Money } from "../../ui/money.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { CallDetails } from "./call-details.tsx";
import { useStepName } from "./use-step-name.ts";

export interface CallTableProps {
  readonly calls: readonly ModelCallView[];
  readonly list: PagedList;
}

/** Model calls, newest first; a row opens to show everything that the ledger knows of it. */
export function CallTable({ calls, list }: CallTableProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<string | null>(null);
  return (
    <div className="m-panel m-table-wrap">
      <table className="m-table m-calls">
        <caption className="m-table-caption">{t("gateway.title.calls")}</caption>
        <thead>
          <tr>
            <th className="m-calls-open">
              <span className="m-table-caption">{t("calls.details")}</span>
            </th>
            <th className="m-calls-when">{t("calls.when")}</th>
            <th>{t("calls.filter.model")}</th>
            <th className="m-calls-who">{t("calls.caller")}</th>
            <th className="m-calls-outcome">{t("calls.filter.outcome")}</th>
            <th className="m-num m-calls-figure">{t("calls.in")}</th>
            <th className="m-num m-calls-figure">{t("calls.out")}</th>
            <th className="m-num m-calls-figure">{t("common.cost")}</th>
            <th className="m-num m-calls-figure">{t("calls.took")}</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <Fragment key={call.id}>
              <CallRow
                call={call}
                isOpen={open === call.id}
                onToggle={() => setOpen(open === call.id ? null : call.id)}
              />
              {open === call.id ? (
                <tr className="m-calls-more">
                  <td colSpan={9}>
                    <div className="m-calls-sheet">
                      <CallDetails call={call} />
                    </div>
                  </td>
                </tr>
              ) : null}
            </Fragment>
          ))}
        </tbody>
      </table>
      <LoadMore list={list} />
    </div>
  );
}

interface CallRowProps {
  readonly call: ModelCallView;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function CallRow({ call, isOpen, onToggle }: CallRowProps) {
  const { t } = useTranslation();
  const nameOf = useStepName();
  const Arrow = isOpen ? IconChevronDown : IconChevronRight;
  const count = (tokens: number | null): string => (tokens === null ? "–" : formatCount(tokens));
  const model = call.model ?? call.askedModel ?? call.endpoint;
  return (
    <tr>
      <td>
        <button
          type="button"
          className="m-calls-toggle"
          aria-expanded={isOpen}
          aria-label={t("calls.detailsOf", { model })}
          onClick={onToggle}
        >
          <Arrow size={14} aria-hidden="true" />
        </button>
      </td>
      <td className="m-dim">
        <RelativeTime at={call.startedAt} />
      </td>
      <td className="m-cut">
        <span className="m-mono">{model}</span> <span className="m-dim">{call.provider}</span>
        {call.chainStep === null ? null : <span className="m-dim"> · {nameOf(call.chainStep)}</span>}
      </td>
      <td className="m-cut">
        {call.taskId === null ? (
          (call.caller ?? <span className="m-dim">–</span>)
        ) : (
          <>
            <Link to="/tasks/$taskId" params={{ taskId: call.taskId }} className="m-mono m-underline">
              {call.taskId}
            </Link>{" "}
            <span className="m-dim">{call.caller}</span>
          </>
        )}
      </td>
      <td className="m-cut">
        <span className={call.outcome === "ok" ? "" : "m-calls-bad"}>
          {t(`calls.outcome.${call.outcome}`)}
        </span>
        {call.cache === "hit" || call.cache === "joined" ? (
          <span className="m-dim"> · {t(`calls.cache.${call.cache}`)}</span>
        ) : null}
        {call.tried.length === 0 ? null : (
          <span className="m-tone-waiting"> · {t("calls.tries", { count: call.tried.length })}</span>
        )}
      </td>
      <td className="m-num">{count(call.tokensIn)}</td>
      <td className="m-num">{count(call.tokensOut)}</td>
      <td className="m-num">
        <Money micros={call.costMicros} exact />
      </td>
      <td className="m-num">{formatDuration(call.totalMs)}</td>
    </tr>
  );
}
