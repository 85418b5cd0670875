import { useTranslation } from "react-i18next";
import type { ModelCallView } from "../../../../src/contract/index.ts";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";

export interface CallWayProps {
  readonly call: ModelCallView;
}

/** From what was asked for to who answered: the route, each try that brought nothing, the answer. */
export function CallWay({ call }: CallWayProps) {
  const { t } = useTranslation();
  const answered = call.outcome === "ok" || call.outcome === "rejected";
  // The last of the tries that brought nothing is the end of the way where nobody answered.
  const tries = call.tried.map((one) => ({ ...one, good: false }));
  return (
    <section>
      <h3 className="m-calls-group">{t("calls.group.way")}</h3>
      <ol className="m-calls-way">
        <li>
          <span className="m-dim">{t("calls.fact.asked")}</span>{" "}
          <span className="m-mono">{call.askedModel ?? "–"}</span>
          {call.route === null ? null : (
            <span className="m-dim"> · {t("calls.viaRoute", { route: call.route })}</span>
          )}
        </li>
        {tries.map((one, index) => (
          <li key={index}>
            <Sign look={LOOKS.step.failed} /> <span className="m-mono">{placeOf(one)}</span>{" "}
            <span className="m-calls-bad">
              {one.status === null ? "" : `${one.status} · `}
              {one.error}
            </span>
          </li>
        ))}
        {call.cache === "hit" || call.cache === "joined" ? (
          <li>
            <Sign look={LOOKS.step.passed} /> {t(`calls.cache.${call.cache}`)}
          </li>
        ) : answered || tries.length === 0 ? (
          <li>
            <Sign look={answered ? LOOKS.step.passed : LOOKS.step.failed} />{" "}
            <span className="m-mono">{placeOf(call)}</span>{" "}
            <span className={answered ? "m-dim" : "m-calls-bad"}>{t(`calls.outcome.${call.outcome}`)}</span>
          </li>
        ) : null}
      </ol>
      {call.attempts > 1 ? (
        <p className="m-dim m-small">{t("calls.attempts", { count: call.attempts })}</p>
      ) : null}
    </section>
  );
}

const placeOf = ({
  provider,
  model,
}: {
  readonly provider: string;
  readonly model: string | null;
}): string => (model === null ? provider : `${provider}/${model}`);
