import { useQuery } from "@tanstack/react-query";
import type { Permission } from "../../../../src/contract/index.ts";
import { whoAmIQuery } from "../../api/queries.ts";

/** Whether the signed-in person has the permission; false until that is known. */
export function useMay(permission: Permission): boolean {
  const { data } = useQuery(whoAmIQuery());
  return data?.permissions.includes(permission) ?? false;
}
