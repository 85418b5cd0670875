import { Link, useLocation } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { GATEWAY_PAGES } from "../gateway/gateway-pages.ts";
import { PAGES } from "./pages.ts";

/** Where the person is: the page, and the task in it. */
export function Breadcrumb() {
  const { t } = useTranslation();
  const path = useLocation({ select: (location) => location.pathname });
  const [, first = "", second] = path.split("/");
  const page = PAGES.find(({ to }) => to === `/${first}`);
  if (page === undefined) return null;
  const gatewayPage = GATEWAY_PAGES.find(({ to }) => to === path);
  return (
    <nav aria-label={t("nav.where")} className="m-breadcrumb">
      {second === undefined || second === "" ? (
        <span aria-current="page">{t(`nav.${page.id}`)}</span>
      ) : (
        <>
          <Link to={page.to}>{t(`nav.${page.id}`)}</Link>
          <span className="m-dim" aria-hidden="true">
            /
          </span>
          {gatewayPage === undefined ? (
            <span aria-current="page" className="m-mono">
              {decodeURIComponent(second)}
            </span>
          ) : (
            <span aria-current="page">{t(`gateway.tab.${gatewayPage.id}`)}</span>
          )}
        </>
      )}
    </nav>
  );
}
