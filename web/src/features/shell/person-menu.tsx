import { ActionIcon, Menu } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { logout } from "../../api/client.ts";
import { statusQuery, whoAmIQuery } from "../../api/queries.ts";
import { IconExternalLink, IconLogout, IconUser } from "../../ui/icons.ts";

/** Who is signed in, what they may do, and the version. */
export function PersonMenu() {
  const { t } = useTranslation();
  const { data: person } = useQuery(whoAmIQuery());
  const { data: status } = useQuery(statusQuery("24h"));
  // A page that is loaded anew holds nothing that the last person saw.
  const signOut = useMutation({ mutationFn: logout, onSuccess: () => window.location.assign("/login") });
  return (
    <Menu width={240}>
      <Menu.Target>
        <ActionIcon aria-label={t("nav.person")}>
          <IconUser size={18} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {person === undefined
            ? t("nav.personUnknown")
            : t("nav.personIs", {
                name: person.name,
                permissions: person.permissions
                  .map((one) => t(`nav.permission.${one}`))
                  .join(t("common.comma")),
              })}
        </Menu.Label>
        <Menu.Item
          component="a"
          href="/api/docs"
          target="_blank"
          rightSection={<IconExternalLink size={14} aria-hidden="true" />}
        >
          {t("nav.apiDocs")}
        </Menu.Item>
        <Menu.Item
          onClick={() => signOut.mutate()}
          rightSection={<IconLogout size={14} aria-hidden="true" />}
          disabled={signOut.isPending}
        >
          {t("nav.signOut")}
        </Menu.Item>
        {status === undefined ? null : (
          <Menu.Label>{t("nav.version", { version: status.version })}</Menu.Label>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
