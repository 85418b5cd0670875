export { isRoleHeld } from "./role-lock.ts";
export { runUp, type UpOptions } from "./up.ts";
export { loadSecrets, loadSettings, settings, teamOf, type Settings } from "./settings.ts";
export { locateInstallation, type Installation } from "./installation.ts";
export { VERSION } from "./version.ts";
