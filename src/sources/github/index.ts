export { openGitHub } from "./github.ts";
export { apiUrlOf, repositoryOf, webUrlOf } from "./app/addresses.ts";
export { isOrganization, readApp } from "./app/lookups.ts";
export { manifestOf, registrationPage } from "./app/manifest.ts";
export { installUrl } from "./app/refusals.ts";
export { registerApp } from "./app/registration.ts";
export { checkGitHub } from "./doctor/check-github.ts";
