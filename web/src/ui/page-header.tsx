import "./page-header.css";
import type { ReactNode } from "react";
import { usePageTitle } from "./use-page-title.ts";

export interface PageHeaderProps {
  readonly title: string;
  /** What the page says in one line. */
  readonly lead?: ReactNode;
  /** The page's one primary action and what stands beside it. */
  readonly actions?: ReactNode;
}

/** Title of a page, also the browser's. */
export function PageHeader({ title, lead, actions }: PageHeaderProps) {
  usePageTitle(title);
  return (
    <header className="m-page-header">
      <div className="m-grow">
        <h1>{title}</h1>
        {lead === undefined ? null : <p className="m-dim">{lead}</p>}
      </div>
      {actions === undefined ? null : <div className="m-row">{actions}</div>}
    </header>
  );
}
