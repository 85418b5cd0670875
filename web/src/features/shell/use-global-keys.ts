import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { PAGES } from "./pages.ts";

const SEQUENCE_MS = 1200;

export interface GlobalKeys {
  readonly openPalette: () => void;
  readonly openShortcuts: () => void;
}

/** Keys that work on every page: Ctrl/⌘-K, `?`, and `g` followed by a page's letter. None while typing. */
export function useGlobalKeys({ openPalette, openShortcuts }: GlobalKeys): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goAt = -Infinity;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") openShortcuts();
      else if (event.key === "g") goAt = event.timeStamp;
      else if (event.timeStamp - goAt < SEQUENCE_MS) {
        goAt = -Infinity;
        const page = PAGES.find(({ key }) => key === event.key);
        if (page !== undefined) void navigate({ to: page.to });
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, openPalette, openShortcuts]);
}

/** Whether the key belongs to a field or a dialog. */
export function isTyping(event: KeyboardEvent): boolean {
  if (!(event.target instanceof HTMLElement)) return false;
  return (
    event.target.closest("input,textarea,select,[contenteditable=true],[role=dialog],[role=menu]") !== null
  );
}
