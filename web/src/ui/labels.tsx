import "./class-tag.css";

export interface LabelsProps {
  readonly labels: readonly string[];
}

/** Labels of a task, as they were given. */
export function Labels({ labels }: LabelsProps) {
  return labels.map((label) => (
    <span key={label} className="m-label">
      {label}
    </span>
  ));
}
