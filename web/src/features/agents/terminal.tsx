import "@xterm/xterm/css/xterm.css";
import { Terminal as Xterm } from "@xterm/xterm";
import { useEffect, useRef } from "react";
import type { AgentScreen } from "../../../../src/contract/index.ts";
import { fontSizeFor, toFrame } from "./terminal-frame.ts";

/** The pane's own colours: it looks the same in both themes, as it does in tmux. */
const THEME = {
  background: "#16171b",
  foreground: "#d9dade",
  cursor: "#16171b",
  black: "#3a3d45",
  red: "#ff8d84",
  green: "#73cf98",
  yellow: "#e7b35a",
  blue: "#82b1ff",
  magenta: "#c0a0fb",
  cyan: "#7fd4d4",
  white: "#e8e8ea",
  brightBlack: "#8a8d97",
};

export interface TerminalProps {
  readonly screen: AgentScreen;
  readonly label: string;
}

/** Draws frames of a pane, scaled to the width it has. Takes no input. */
export function Terminal({ screen, label }: TerminalProps) {
  const host = useRef<HTMLDivElement>(null);
  const terminal = useRef<Xterm | null>(null);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const xterm = new Xterm({
      disableStdin: true,
      cursorBlink: false,
      cursorInactiveStyle: "none",
      scrollback: 0,
      convertEol: true,
      allowTransparency: false,
      fontFamily: getComputedStyle(element).getPropertyValue("--m-mono"),
      fontSize: 12,
      theme: { ...THEME, background: getComputedStyle(element).getPropertyValue("--m-term").trim() },
    });
    xterm.open(element);
    // The helper field that xterm keeps for input would be a tab stop without use.
    xterm.textarea?.setAttribute("tabindex", "-1");
    terminal.current = xterm;
    return () => {
      terminal.current = null;
      xterm.dispose();
    };
  }, []);

  useEffect(() => {
    const element = host.current;
    const xterm = terminal.current;
    if (element === null || xterm === null) return;
    const fit = () => {
      xterm.options.fontSize = fontSizeFor(element.clientWidth, screen.columns);
      if (xterm.cols !== screen.columns || xterm.rows !== screen.rows)
        xterm.resize(screen.columns, screen.rows);
      // The newest lines are at the bottom; a card shows those.
      element.scrollTop = element.scrollHeight;
    };
    fit();
    xterm.write(toFrame(screen));
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [screen]);

  return <div ref={host} role="img" aria-label={label} style={{ height: "100%", overflow: "hidden" }} />;
}
