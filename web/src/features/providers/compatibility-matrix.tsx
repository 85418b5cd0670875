import { useTranslation } from "react-i18next";
import type { ProviderView } from "../../../../src/contract/index.ts";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";

export interface CompatibilityMatrixProps {
  readonly providers: readonly ProviderView[];
}

const SUPPORTS = ["native", "translated", "estimated", "none"] as const;

/** Which endpoint each provider serves by itself, which through translation, and which not. */
export function CompatibilityMatrix({ providers }: CompatibilityMatrixProps) {
  const { t } = useTranslation();
  const endpoints = Object.keys(providers[0]?.endpoints ?? {});
  return (
    <>
      <div className="m-table-wrap" tabIndex={0} role="group" aria-label={t("providers.matrix")}>
        <table className="m-table m-matrix">
          <caption className="m-table-caption">{t("providers.matrix")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("calls.filter.provider")}</th>
              {endpoints.map((endpoint) => (
                <th key={endpoint} scope="col" className="m-mono">
                  {endpoint}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {providers.map((provider) => (
              <tr key={provider.name}>
                <th scope="row" className={provider.state === "available" ? "m-dim" : ""}>
                  {provider.name}
                </th>
                {endpoints.map((endpoint) => {
                  const support = provider.endpoints[endpoint] ?? "none";
                  return (
                    <td key={endpoint} title={t(`state.support.${support}`)}>
                      <Sign look={LOOKS.support[support]} />
                      <span className="m-table-caption">{t(`state.support.${support}`)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="m-matrix-legend m-small" aria-hidden="true">
        {SUPPORTS.map((support) => (
          <span key={support}>
            <Sign look={LOOKS.support[support]} /> {t(`state.support.${support}`)}
          </span>
        ))}
      </p>
    </>
  );
}
