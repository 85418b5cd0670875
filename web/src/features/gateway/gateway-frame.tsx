import "./gateway.css";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { PageHeader } from "../../ui/page-header.tsx";
import { GATEWAY_PAGES, type GatewayPageId } from "./gateway-pages.ts";

export interface GatewayFrameProps {
  readonly page: GatewayPageId;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** Title of a page about the gateway, with the way to the others. */
export function GatewayFrame({ page, actions, children }: GatewayFrameProps) {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t(`gateway.title.${page}`)} lead={t(`gateway.lead.${page}`)} actions={actions} />
      <nav className="m-subnav" aria-label={t("gateway.pages")}>
        {GATEWAY_PAGES.map(({ id, to }) => (
          <Link
            key={id}
            to={to}
            className="m-subnav-link"
            activeOptions={{ includeSearch: false }}
            activeProps={{ className: "m-subnav-link m-active" }}
          >
            {t(`gateway.tab.${id}`)}
          </Link>
        ))}
      </nav>
      {children}
    </>
  );
}
