import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { statusQuery } from "../../api/queries.ts";
import { PAGES } from "./pages.ts";

/** Pages of the console; a bar at the bottom on narrow screens. */
export function Rail() {
  const { t } = useTranslation();
  const { data } = useQuery(statusQuery("24h"));
  const questions = data?.needsYou.questions.length ?? 0;
  return (
    <nav className="m-rail" aria-label={t("nav.label")}>
      <Link to="/" className="m-brand" aria-label={t("nav.home")}>
        <img src="/favicon.svg" alt="" width={24} height={24} />
        <span className="m-brand-name" translate="no">
          Miyabi
        </span>
      </Link>
      <ul>
        {PAGES.map(({ id, to, icon: Icon }) => (
          <li key={id}>
            <Link
              to={to}
              className="m-rail-link"
              activeOptions={{ exact: to === "/", includeSearch: false }}
              activeProps={{ className: "m-rail-link m-active" }}
            >
              <Icon size={18} stroke={1.6} aria-hidden="true" />
              <span className="m-rail-word">{t(`nav.${id}`)}</span>
              {id === "messages" && questions > 0 ? (
                <span className="m-rail-badge" aria-label={t("nav.openQuestions", { count: questions })}>
                  {questions}
                </span>
              ) : null}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
