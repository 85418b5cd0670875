export {
  ACCESS_LEVELS,
  ADMIN_PERMISSIONS,
  allows,
  isAccess,
  type Access,
  type Identity,
} from "./permissions.ts";
export { createRedaction, redactJson, type Redact } from "./redaction.ts";
export { equalSecrets } from "./secrets.ts";
export { createSessions, type Sessions, type SessionsParams } from "./sessions.ts";
export { openTokenFile } from "./token-file.ts";
