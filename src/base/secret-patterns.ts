/** What keys and tokens of well-known services look like, and ours. Global: for `replaceAll`. */
export const SECRET_VALUES = new RegExp(
  [
    String.raw`\b(?:mk-|sk-|gsk_|xai-|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|glpat-|xox[a-z]-|AIza|ya29\.)[\w-]{6,}`,
    String.raw`\b(?:npm_|hf_|r8_|dop_v1_)[A-Za-z0-9]{30,}`,
    String.raw`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`,
    String.raw`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}`,
    String.raw`\bAGE-SECRET-KEY-1[A-Z0-9]{20,}`,
  ].join("|"),
  "g",
);

/** The password of an address; the first group is what stands before it. */
export const URL_PASSWORD = /(:\/\/[^/\s:@]{0,200}:)[^/\s@]{1,500}@/g;
