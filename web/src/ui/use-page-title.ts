import { useEffect } from "react";

const PRODUCT = "Miyabi Orchestra";

/** Puts the title into the browser's tab while the page is shown. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${PRODUCT}`;
    return () => {
      document.title = PRODUCT;
    };
  }, [title]);
}
