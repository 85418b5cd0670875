export { APPROVE, createApprovals, REJECT } from "./approvals.ts";
export {
  createMailboxes,
  MESSAGES_CHANNEL,
  PERSON,
  type Mailboxes,
  type MailboxesParams,
  type Page,
  type SendParams,
  type TakeParams,
} from "./mailboxes.ts";
export {
  createQuestions,
  QUESTIONS_CHANNEL,
  type Answer,
  type AskParams,
  type Questions,
  type QuestionsParams,
} from "./questions.ts";
export { VERDICTS, type RunFence, type RunPorts, type Verdict } from "./mcp/identity.ts";
export { createMcpPlugin, MCP_PATH, type McpPluginParams } from "./mcp/plugin.ts";
