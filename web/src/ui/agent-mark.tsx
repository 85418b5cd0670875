import "./agent-mark.css";
import { readableOn } from "./color.ts";

export interface AgentMarkProps {
  readonly name: string;
  readonly nameJa: string;
  readonly color: string;
  readonly size?: number;
}

/** The agent's colour with the first character of its Japanese name. Decoration: the name stands beside it. */
export function AgentMark({ name, nameJa, color, size = 20 }: AgentMarkProps) {
  return (
    <span
      className="m-agent-mark"
      aria-hidden="true"
      style={{
        background: color,
        color: readableOn(color),
        width: size,
        height: size,
        fontSize: size * 0.55,
      }}
    >
      {(nameJa[0] ?? name[0] ?? "?").toUpperCase()}
    </span>
  );
}
