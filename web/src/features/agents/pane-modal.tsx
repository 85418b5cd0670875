import { Modal } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { TellForm } from "./tell-form.tsx";
import { useAgentLabel } from "./use-agent-label.ts";
import { useScreenStream } from "./use-screen-stream.ts";

const Terminal = lazy(() => import("./terminal.tsx").then((module) => ({ default: module.Terminal })));

export interface PaneModalProps {
  readonly agent: AgentView;
  readonly onClose: () => void;
}

/** An agent's pane at full size, frame by frame as it changes, with a field to say something to the agent. */
export function PaneModal({ agent, onClose }: PaneModalProps) {
  const { t } = useTranslation();
  const name = useAgentLabel()(agent);
  const screen = useScreenStream(agent.slot);
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1100px, 96vw)"
      title={t("agents.paneOf", { name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <div className="m-stack">
        <div className="m-terminal m-terminal-full">
          {screen === null ? (
            <p className="m-terminal-note">{t("agents.noScreen")}</p>
          ) : (
            <Suspense fallback={null}>
              <Terminal screen={screen} label={t("agents.paneOf", { name })} />
            </Suspense>
          )}
        </div>
        <TellForm slot={agent.slot} />
        {agent.attachCommand === null ? null : <CommandLine command={agent.attachCommand} />}
      </div>
    </Modal>
  );
}
