export { createChat, type Chat, type ChatParams, type CommandPorts } from "./chat.ts";
export { chatSettings, type ChatSettings } from "./settings.ts";
export { parseChatCursor, type ThreadFeed } from "./thread-feed.ts";
