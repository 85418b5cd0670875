const PREFIX = "miyabi.chat.draft.";

/** What was typed and not sent, so that a reload does not lose it. */
export function loadDraft(key: string): string {
  try {
    return sessionStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

export function saveDraft(key: string, text: string): void {
  try {
    if (text === "") sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // Storage can be full or forbidden; the text then lasts as long as the page.
  }
}
