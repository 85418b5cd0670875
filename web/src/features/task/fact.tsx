import type { ReactNode } from "react";

export interface FactProps {
  readonly label: string;
  readonly children: ReactNode;
}

/** A labelled figure. */
export function Fact({ label, children }: FactProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
