interface PageParams {
  readonly registration: string;
  readonly state: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Lets the page's own script run and no other. */
  readonly nonce: string;
}

/** Posts the manifest to GitHub by itself; by a button where scripts are off. */
export function manifestPage({ registration, state, manifest, nonce }: Readonly<PageParams>): string {
  const action = `${registration}?state=${encodeURIComponent(state)}`;
  return page(
    "To GitHub",
    `<form id="manifest" method="post" action="${escaped(action)}">
<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}">
<p>GitHub shows next what the app may do, and asks for its name.</p>
<button>Continue to GitHub</button></form>
<script nonce="${nonce}">document.getElementById("manifest").submit()</script>`,
  );
}

export const messagePage = (title: string, text: string): string => page(title, `<p>${escaped(text)}</p>`);

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)} – Miyabi</title><h1>${escaped(title)}</h1>\n${body}</html>`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
