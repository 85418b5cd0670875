import { useTranslation } from "react-i18next";

export interface RoleNameProps {
  readonly role: string;
}

/** A role of the standard teams in the viewer's language; an own role as it is named. */
export function RoleName({ role }: RoleNameProps) {
  const { t, i18n } = useTranslation();
  const key = `role.${role}`;
  return <>{i18n.exists(key) ? (t as (key: string) => string)(key) : role}</>;
}
