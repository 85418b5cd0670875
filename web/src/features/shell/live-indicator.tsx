import { Tooltip, UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useLive, useLiveState } from "../../api/live-provider.tsx";
import { formatDuration } from "../../ui/format.ts";
import { Sign } from "../../ui/sign.tsx";
import type { Look } from "../../ui/state-look.ts";
import { useNow } from "../../ui/use-now.ts";

const LOOKS: Readonly<Record<"live" | "paused" | "connecting" | "reconnecting" | "asleep", Look>> = {
  live: { shape: "disc", tone: "done" },
  paused: { shape: "quarter", tone: "idle" },
  connecting: { shape: "ring", tone: "idle" },
  reconnecting: { shape: "half", tone: "waiting" },
  asleep: { shape: "ring", tone: "idle" },
};

/** Whether the page is live, and how old its data is; pressing it pauses and resumes. */
export function LiveIndicator() {
  const { t } = useTranslation();
  const { connection } = useLive();
  const state = useLiveState();
  const now = useNow();
  const age = state.heardAt === null ? null : formatDuration(now - state.clockOffsetMs - state.heardAt);
  const paused = state.phase === "paused";
  const hint = age === null ? t("live.neverHeard") : t("live.age", { age });
  return (
    <Tooltip label={`${hint} ${paused ? t("live.clickToResume") : t("live.clickToPause")}`}>
      <UnstyledButton
        className="m-live"
        aria-label={`${t(`live.${state.phase}`)}. ${paused ? t("live.clickToResume") : t("live.clickToPause")}`}
        onClick={() => (paused ? connection.resume() : connection.pause())}
      >
        <Sign look={LOOKS[state.phase]} size={10} />
        <span className="m-live-word">{t(`live.${state.phase}`)}</span>
        {state.phase === "live" || age === null ? null : <span className="m-dim m-live-word">{age}</span>}
      </UnstyledButton>
    </Tooltip>
  );
}
