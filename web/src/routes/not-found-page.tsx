import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { PageHeader } from "../ui/page-header.tsx";

/** For an address that no page has. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <main className="m-main">
      <PageHeader title={t("errors.noPage")} lead={t("errors.noPageDetail")} />
      <Link to="/" className="m-underline">
        {t("errors.toOverview")}
      </Link>
    </main>
  );
}
