import "./login-page.css";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../../api/client.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { usePageTitle } from "../../ui/use-page-title.ts";
import { LanguageSwitch } from "../shell/language-switch.tsx";
import { ThemeSwitch } from "../shell/theme-switch.tsx";

/** Signs in with the code in the link's fragment, or says how to get such a link. */
export function LoginPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const started = useRef(false);
  const signIn = useMutation({
    mutationFn: login,
    onSuccess: async () => {
      client.clear();
      await navigate({ to: "/", replace: true });
    },
  });
  const { mutate } = signIn;
  usePageTitle(t("login.title"));

  useEffect(() => {
    const code = window.location.hash.slice(1);
    // A code works once, and an effect can run twice.
    if (code === "" || started.current) return;
    started.current = true;
    mutate(decodeURIComponent(code));
    window.history.replaceState(window.history.state, "", "/login");
  }, [mutate]);

  return (
    <main className="m-login">
      <div className="m-login-card">
        <div className="m-row">
          <img src="/favicon.svg" alt="" width={32} height={32} />
          <strong translate="no" className="m-grow">
            Miyabi Orchestra
          </strong>
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
        {signIn.isPending ? (
          <>
            <h1>{t("login.busy")}</h1>
            <p className="m-dim">{t("login.busyDetail")}</p>
          </>
        ) : (
          <>
            <h1>{t("login.title")}</h1>
            <p className="m-dim">{t("login.how")}</p>
            <CommandLine command="miyabi login" />
            <p className="m-dim m-small">{t("login.once")}</p>
            {signIn.isError ? <QueryError error={signIn.error} /> : null}
            <Button variant="default" onClick={() => void navigate({ to: "/" })}>
              {t("login.tryAgain")}
            </Button>
          </>
        )}
      </div>
    </main>
  );
}
