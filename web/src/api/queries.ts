import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call } from "./client.ts";

/** Largest page that the API gives. */
const PAGE = 200;

export interface TaskFilter {
  readonly state?: string;
  readonly class?: string;
  readonly repository?: string;
  readonly label?: string;
  readonly q?: string;
  readonly order?: "newest" | "deadline" | "updated";
}

export const statusQuery = (range: "24h" | "7d") =>
  queryOptions({
    queryKey: ["status", range],
    queryFn: ({ signal }) => call("status", { query: { range }, signal }),
  });

export const whoAmIQuery = () =>
  queryOptions({
    queryKey: ["whoami"],
    queryFn: ({ signal }) => call("whoAmI", { signal }),
    staleTime: Infinity,
  });

export const tasksQuery = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["tasks", filter],
    queryFn: ({ signal, pageParam }) =>
      call("listTasks", {
        query: { ...filter, limit: 100, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });

/** A few tasks for the palette and pickers. */
export const taskSearchQuery = (q: string) =>
  queryOptions({
    queryKey: ["tasks", "search", q],
    queryFn: ({ signal }) => call("listTasks", { query: { q, limit: 8, order: "updated" }, signal }),
  });

export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: ({ signal }) => call("getTask", { params: { id }, signal }),
  });

export const explainQuery = (id: string) =>
  queryOptions({
    queryKey: ["task-explain", id],
    queryFn: ({ signal }) => call("explainTask", { params: { id }, signal }),
  });

export const taskDiffQuery = (id: string, run: string | undefined) =>
  queryOptions({
    queryKey: ["task-diff", id, run ?? null],
    queryFn: ({ signal }) =>
      call("taskDiff", { params: { id }, ...(run === undefined ? {} : { query: { run } }), signal }),
  });

export const taskEventsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["task-events", id],
    queryFn: ({ signal, pageParam }) =>
      call("taskEvents", {
        params: { id },
        query: { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });

export const taskMessagesQuery = (id: string) =>
  queryOptions({
    queryKey: ["task-messages", id],
    queryFn: ({ signal }) => call("taskMessages", { params: { id }, query: { limit: PAGE }, signal }),
  });

export const questionsQuery = (open: boolean) =>
  queryOptions({
    queryKey: ["questions", open],
    queryFn: ({ signal }) =>
      call("listQuestions", { query: { open: open ? "true" : "false", limit: PAGE }, signal }),
  });

export const agentsQuery = () =>
  queryOptions({ queryKey: ["agents"], queryFn: ({ signal }) => call("listAgents", { signal }) });

export interface MessageFilter {
  readonly recipient?: string;
  readonly state?: string;
}

export const messagesQuery = (filter: MessageFilter) =>
  infiniteQueryOptions({
    queryKey: ["messages", filter],
    queryFn: ({ signal, pageParam }) =>
      call("listMessages", {
        query: { ...filter, limit: 100, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });

export const deadLettersQuery = () =>
  infiniteQueryOptions({
    queryKey: ["dead-letters", "list"],
    queryFn: ({ signal, pageParam }) =>
      call("listDeadLetters", {
        query: { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });

export const deadLetterQuery = (id: string) =>
  queryOptions({
    queryKey: ["dead-letters", id],
    queryFn: ({ signal }) => call("getDeadLetter", { params: { id }, signal }),
  });

export const repositoriesQuery = () =>
  queryOptions({ queryKey: ["repositories"], queryFn: ({ signal }) => call("listRepositories", { signal }) });
