import { useInViewport } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useLiveState } from "../../api/live-provider.tsx";
import { call } from "../../api/client.ts";
import { useSlotLabel } from "./use-slot-label.ts";

const Terminal = lazy(() => import("./terminal.tsx").then((module) => ({ default: module.Terminal })));

/** Browsers open six connections to one HTTP/1.1 host: a stream per card would starve everything else, so cards ask. */
const BUSY_MS = 1000;
const CALM_MS = 5000;

export interface PanePreviewProps {
  readonly slot: string;
  /** True where the pane hardly changes, so that it is asked less often. */
  readonly calm: boolean;
}

/** A slot's pane, live while it is on the screen. Read-only. */
export function PanePreview({ slot, calm }: PanePreviewProps) {
  const { t } = useTranslation();
  const name = useSlotLabel()(slot);
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const { phase } = useLiveState();
  const asking = inViewport && phase !== "paused" && phase !== "asleep";
  const { data } = useQuery({
    queryKey: ["screen", slot],
    queryFn: ({ signal }) => call("agentScreen", { params: { slot }, signal }),
    enabled: asking,
    refetchInterval: calm ? CALM_MS : BUSY_MS,
    refetchIntervalInBackground: false,
    staleTime: BUSY_MS,
    retry: false,
  });
  return (
    <div ref={ref} className="m-terminal">
      {data === undefined ? (
        <p className="m-terminal-note">{t("agents.noScreen")}</p>
      ) : (
        <Suspense fallback={null}>
          <Terminal screen={data} label={t("agents.paneOf", { name })} />
        </Suspense>
      )}
    </div>
  );
}
