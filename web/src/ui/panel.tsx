import "./panel.css";
import { useId, type ReactNode } from "react";

export interface PanelProps {
  readonly title: ReactNode;
  /** Number of things in it, shown beside the title. */
  readonly count?: number;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  /** Without inner padding, for lists and tables. */
  readonly flush?: boolean;
}

/** A titled section of a page. */
export function Panel({ title, count, aside, children, flush = false }: PanelProps) {
  const id = useId();
  return (
    <section className="m-panel" aria-labelledby={id}>
      <div className="m-panel-head">
        <h2 id={id}>{title}</h2>
        {count === undefined ? null : <span className="m-count">{count}</span>}
        <span className="m-grow" />
        {aside}
      </div>
      <div className={flush ? "m-panel-flush" : "m-panel-body"}>{children}</div>
    </section>
  );
}
