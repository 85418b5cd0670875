import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type RouterHistory,
} from "@tanstack/react-router";
import { Shell } from "./features/shell/shell.tsx";
import { parseTaskSearch } from "./features/tasks/task-search.ts";
import { parseTaskPageSearch } from "./features/task/task-page-search.ts";
import { parseMessageSearch } from "./features/messages/message-search.ts";
import { parseCallSearch } from "./features/calls/call-search.ts";
import { parseBudgetSearch } from "./features/budgets/budget-search.ts";
import { parseChatSearch } from "./features/chat/chat-search.ts";
import { parseKeySearch } from "./features/keys/key-search.ts";
import { parsePriceSearch } from "./features/prices/price-search.ts";
import { parseProviderSearch } from "./features/providers/provider-search.ts";
import { ErrorPage } from "./routes/error-page.tsx";
import { NotFoundPage } from "./routes/not-found-page.tsx";
import { OverviewPage } from "./routes/overview-page.tsx";

const root = createRootRoute({ errorComponent: ErrorPage, notFoundComponent: NotFoundPage });
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

const overview = createRoute({ getParentRoute: () => shell, path: "/", component: OverviewPage });
const tasks = createRoute({
  getParentRoute: () => shell,
  path: "/tasks",
  validateSearch: parseTaskSearch,
  component: lazyRouteComponent(() => import("./routes/tasks-page.tsx"), "TasksPage"),
});
const task = createRoute({
  getParentRoute: () => shell,
  path: "/tasks/$taskId",
  validateSearch: parseTaskPageSearch,
  component: lazyRouteComponent(() => import("./routes/task-page.tsx"), "TaskPage"),
});
const agents = createRoute({
  getParentRoute: () => shell,
  path: "/agents",
  component: lazyRouteComponent(() => import("./routes/agents-page.tsx"), "AgentsPage"),
});
const messages = createRoute({
  getParentRoute: () => shell,
  path: "/messages",
  validateSearch: parseMessageSearch,
  component: lazyRouteComponent(() => import("./routes/messages-page.tsx"), "MessagesPage"),
});
const chat = createRoute({
  getParentRoute: () => shell,
  path: "/chat",
  validateSearch: parseChatSearch,
  component: lazyRouteComponent(() => import("./routes/chat-page.tsx"), "ChatPage"),
});
const chatThread = createRoute({
  getParentRoute: () => shell,
  path: "/chat/$threadId",
  validateSearch: parseChatSearch,
  component: lazyRouteComponent(() => import("./routes/chat-page.tsx"), "ChatThreadPage"),
});
const calls = createRoute({
  getParentRoute: () => shell,
  path: "/gateway/calls",
  validateSearch: parseCallSearch,
  component: lazyRouteComponent(() => import("./routes/calls-page.tsx"), "CallsPage"),
});
const gatewayKeys = createRoute({
  getParentRoute: () => shell,
  path: "/gateway/keys",
  validateSearch: parseKeySearch,
  component: lazyRouteComponent(() => import("./routes/keys-page.tsx"), "KeysPage"),
});
const budgets = createRoute({
  getParentRoute: () => shell,
  path: "/gateway/budgets",
  validateSearch: parseBudgetSearch,
  component: lazyRouteComponent(() => import("./routes/budgets-page.tsx"), "BudgetsPage"),
});
const providers = createRoute({
  getParentRoute: () => shell,
  path: "/gateway/providers",
  validateSearch: parseProviderSearch,
  component: lazyRouteComponent(() => import("./routes/providers-page.tsx"), "ProvidersPage"),
});
const prices = createRoute({
  getParentRoute: () => shell,
  path: "/gateway/prices",
  validateSearch: parsePriceSearch,
  component: lazyRouteComponent(() => import("./routes/prices-page.tsx"), "PricesPage"),
});
const gateway = createRoute({
  getParentRoute: () => shell,
  path: "/gateway",
  beforeLoad: () => {
    throw redirect({ to: "/gateway/calls", replace: true });
  },
});
/** Where the calls were before there were other pages of the gateway. */
const oldCalls = createRoute({
  getParentRoute: () => shell,
  path: "/calls",
  validateSearch: parseCallSearch,
  beforeLoad: ({ search }) => {
    throw redirect({ to: "/gateway/calls", search, replace: true });
  },
});
const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(() => import("./routes/login-page.tsx"), "LoginPage"),
});

const routeTree = root.addChildren([
  shell.addChildren([
    ...[overview, tasks, task, agents, messages, chat, chatThread],
    ...[gateway, calls, gatewayKeys, budgets, providers, prices, oldCalls],
  ]),
  login,
]);

/** The router of the console; a test passes a history in memory. */
export function createAppRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    // Plain query strings: `?state=running,waiting`, readable and the same in every tool.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => stringify(search),
    ...(history === undefined ? {} : { history }),
  });
}

function stringify(search: Readonly<Record<string, unknown>>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") out.set(name, String(value));
  }
  const text = out.toString().replaceAll("%2C", ",");
  return text === "" ? "" : `?${text}`;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
