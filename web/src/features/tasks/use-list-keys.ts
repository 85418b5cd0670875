import { useEffect, useRef, useState } from "react";
import { isTyping } from "../shell/use-global-keys.ts";

export interface ListKeys {
  readonly length: number;
  readonly onOpen: (index: number) => void;
  readonly onSelect: (index: number) => void;
  readonly onExplain: (index: number) => void;
  readonly onCreate: (() => void) | null;
}

/** `j`/`k` move a cursor over a list, `Enter` opens, `x` selects, `e` explains, `c` creates. Returns the cursor, -1 at first. */
export function useListKeys(keys: ListKeys): readonly [number, (index: number) => void] {
  const [cursor, setCursor] = useState(-1);
  const latest = useRef({ keys, cursor });
  latest.current = { keys, cursor };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const { keys: now, cursor: at } = latest.current;
      const inList = at >= 0 && at < now.length;
      if (event.key === "j") setCursor(Math.min(now.length - 1, at + 1));
      else if (event.key === "k") setCursor(Math.max(0, at - 1));
      else if (event.key === "c") now.onCreate?.();
      else if (event.key === "x" && inList) now.onSelect(at);
      else if (event.key === "e" && inList) now.onExplain(at);
      else if (event.key === "Enter" && inList && !isControl(event.target)) now.onOpen(at);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return [Math.min(cursor, keys.length - 1), setCursor];
}

/** Enter on a focused control means that control. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("a,button") !== null;
}
