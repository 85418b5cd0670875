import {
  IconHome,
  IconListCheck,
  IconMessage,
  IconMessages,
  IconReceipt,
  IconUsers,
} from "../../ui/icons.ts";

/** Pages of the rail, in order, with the key that follows `g`. */
export const PAGES = [
  { id: "overview", to: "/", icon: IconHome, key: "o" },
  { id: "tasks", to: "/tasks", icon: IconListCheck, key: "t" },
  { id: "agents", to: "/agents", icon: IconUsers, key: "a" },
  { id: "messages", to: "/messages", icon: IconMessage, key: "m" },
  { id: "chat", to: "/chat", icon: IconMessages, key: "c" },
  { id: "gateway", to: "/gateway", icon: IconReceipt, key: "r" },
] as const;
