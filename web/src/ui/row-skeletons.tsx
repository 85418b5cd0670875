import { Skeleton } from "@mantine/core";

export interface RowSkeletonsProps {
  readonly rows: number;
  readonly height?: number;
}

/** Rows of the height that the loaded ones will have. */
export function RowSkeletons({ rows, height = 40 }: RowSkeletonsProps) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="m-item" style={{ height, alignItems: "center" }}>
          <Skeleton height={12} width={12} circle />
          <Skeleton height={12} width={`${38 + ((index * 17) % 40)}%`} />
        </div>
      ))}
    </div>
  );
}
