import "./shell.css";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { LiveProvider } from "../../api/live-provider.tsx";
import { ClockSync } from "./clock-sync.tsx";
import { Rail } from "./rail.tsx";
import { ShortcutsModal } from "./shortcuts-modal.tsx";
import { TopBar } from "./top-bar.tsx";
import { useGlobalKeys } from "./use-global-keys.ts";

const Palette = lazy(() => import("./palette.tsx").then((module) => ({ default: module.Palette })));

/** Frame of every page that needs a signed-in person. */
export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [palette, setPalette] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const onSignedOut = useCallback(() => void navigate({ to: "/login" }), [navigate]);
  const openPalette = useCallback(() => setPalette(true), []);
  const openShortcuts = useCallback(() => setShortcuts(true), []);
  useGlobalKeys({ openPalette, openShortcuts });

  return (
    <LiveProvider onSignedOut={onSignedOut}>
      <ClockSync />
      <a className="m-skip" href="#main">
        {t("nav.skip")}
      </a>
      <div className="m-shell">
        <Rail />
        <TopBar onSearch={openPalette} onShortcuts={openShortcuts} />
        <main id="main" className="m-main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Suspense fallback={null}>
        {palette ? <Palette onClose={() => setPalette(false)} onShortcuts={openShortcuts} /> : null}
      </Suspense>
      <ShortcutsModal opened={shortcuts} onClose={() => setShortcuts(false)} />
    </LiveProvider>
  );
}
