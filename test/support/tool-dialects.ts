/** How one vendor's API looks from the server's side. */
export interface ToolDialect {
  readonly path: RegExp;
  streams(url: string, body: Body): boolean;
  /** Why the vendor would refuse the request; null: it would not. */
  problemOf(body: Body): string | null;
  resultsOf(body: Body): readonly (readonly [string, string])[];
  readonly calling: Turn;
  saying(text: string): Turn;
  error(message: string): string;
  readonly errorEvent: string;
}
export interface Turn {
  readonly document: object;
  readonly events: readonly string[];
}
type Body = Readonly<Record<string, unknown>>;

export type ToolDialectName = "messages" | "chat_completions" | "responses" | "generate_content";
export const THOUGHT = "Zwei Dateien: 日本.";
export const PATHS = ["a.txt", 'b "日本".txt'] as const;
const INPUTS = PATHS.map((path) => JSON.stringify({ path }));
const IDS = ["call_1", "call_2"] as const;

/** Tokens that every answer costs, as the ledger counts them. */
export const TOOL_USAGE = { input: 340, output: 57, cacheRead: 200, reasoning: 12 } as const;

const named = (data: { readonly type: string } & Body): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const plain = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const list = (value: unknown): readonly Body[] => (Array.isArray(value) ? (value as Body[]) : []);
const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : list(content)
        .map((part) => String(part["text"] ?? ""))
        .join("");
const halves = (text: string): readonly [string, string] => [text.slice(0, 7), text.slice(7)];

const MESSAGES_USAGE = {
  input_tokens: TOOL_USAGE.input - TOOL_USAGE.cacheRead,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: TOOL_USAGE.cacheRead,
  output_tokens: TOOL_USAGE.output,
  output_tokens_details: { thinking_tokens: TOOL_USAGE.reasoning },
};

function messagesTurn(content: readonly Body[], stop: string): Turn {
  const head = { id: "msg_01", type: "message", role: "assistant", model: "tool-model" };
  const deltasOf = (block: Body): readonly Body[] => {
    if (block["type"] === "thinking")
      return [
        { type: "thinking_delta", thinking: block["thinking"] },
        { type: "signature_delta", signature: block["signature"] },
      ];
    if (block["type"] === "text")
      return halves(String(block["text"])).map((text) => ({ type: "text_delta", text }));
    return halves(JSON.stringify(block["input"])).map((partial_json) => ({
      type: "input_json_delta",
      partial_json,
    }));
  };
  const emptied = (block: Body): Body => {
    if (block["type"] === "thinking") return { ...block, thinking: "", signature: "" };
    return block["type"] === "text" ? { ...block, text: "" } : { ...block, input: {} };
  };
  return {
    document: { ...head, content, stop_reason: stop, stop_sequence: null, usage: MESSAGES_USAGE },
    events: [
      named({
        type: "message_start",
        message: { ...head, content: [], stop_reason: null, usage: { ...MESSAGES_USAGE, output_tokens: 1 } },
      }),
      named({ type: "ping" }),
      ...content.flatMap((block, index) => [
        named({ type: "content_block_start", index, content_block: emptied(block) }),
        ...deltasOf(block).map((delta) => named({ type: "content_block_delta", index, delta })),
        named({ type: "content_block_stop", index }),
      ]),
      named({
        type: "message_delta",
        delta: { stop_reason: stop, stop_sequence: null },
        usage: MESSAGES_USAGE,
      }),
      named({ type: "message_stop" }),
    ],
  };
}

const messages: ToolDialect = {
  path: /^\/v1\/messages$/,
  streams: (_, body) => body["stream"] === true,
  problemOf: (body) => {
    if (typeof body["max_tokens"] !== "number") return "max_tokens: Field required";
    let open: readonly unknown[] = [];
    for (const [index, message] of list(body["messages"]).entries()) {
      if (message["role"] !== (index % 2 === 0 ? "user" : "assistant"))
        return `messages.${index}: roles must alternate`;
      const blocks = list(message["content"]);
      if (blocks.some((block) => block["type"] === "text" && String(block["text"]).trim() === ""))
        return "text must not be empty";
      if (blocks.some((block) => block["type"] === "thinking" && block["signature"] !== "sig-of-messages"))
        return "Invalid signature in thinking block";
      const answered = blocks
        .filter((block) => block["type"] === "tool_result")
        .map((block) => block["tool_use_id"]);
      if (open.some((id) => !answered.includes(id))) return "tool_use without tool_result";
      open = blocks.filter((block) => block["type"] === "tool_use").map((block) => block["id"]);
    }
    return list(body["tools"]).some(
      (tool) => (tool["input_schema"] as Body | undefined)?.["type"] !== "object",
    )
      ? "tools: input_schema.type: Field required"
      : null;
  },
  resultsOf: (body) =>
    list(body["messages"]).flatMap((message) =>
      list(message["content"])
        .filter((block) => block["type"] === "tool_result")
        .map((block) => [String(block["tool_use_id"]), textOf(block["content"])] as const),
    ),
  calling: messagesTurn(
    [
      { type: "thinking", thinking: THOUGHT, signature: "sig-of-messages" },
      { type: "text", text: "I read both files." },
      ...PATHS.map((path, index) => ({
        type: "tool_use",
        id: IDS[index],
        name: "read_file",
        input: { path },
      })),
    ],
    "tool_use",
  ),
  saying: (text) => messagesTurn([{ type: "text", text }], "end_turn"),
  error: (message) => JSON.stringify({ type: "error", error: { type: "invalid_request_error", message } }),
  errorEvent: named({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
};

const CHAT_USAGE = {
  prompt_tokens: TOOL_USAGE.input,
  completion_tokens: TOOL_USAGE.output,
  total_tokens: TOOL_USAGE.input + TOOL_USAGE.output,
  prompt_tokens_details: { cached_tokens: TOOL_USAGE.cacheRead },
  completion_tokens_details: { reasoning_tokens: TOOL_USAGE.reasoning },
};

function chatTurn(message: Body, deltas: readonly Body[], finish: string): Turn {
  const head = { id: "chatcmpl-1", created: 1, model: "tool-model" };
  const chunk = (delta: Body, reason: string | null): string =>
    plain({
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: reason }],
      usage: null,
    });
  return {
    document: {
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
      usage: CHAT_USAGE,
    },
    events: [
      ": keep-alive\n\n",
      chunk({ role: "assistant", content: "" }, null),
      ...deltas.map((delta) => chunk(delta, null)),
      chunk({}, finish),
      plain({ ...head, object: "chat.completion.chunk", choices: [], usage: CHAT_USAGE }),
      "data: [DONE]\n\n",
    ],
  };
}

const calls = (index: number, more: Body): Body => ({ tool_calls: [{ index, ...more }] });
const chat: ToolDialect = {
  path: /^\/v1\/chat\/completions$/,
  streams: (_, body) => body["stream"] === true,
  problemOf: (body) => {
    let open: string[] = [];
    for (const message of list(body["messages"])) {
      if (message["role"] === "tool") open = open.filter((id) => id !== message["tool_call_id"]);
      else if (open.length > 0) return "tool_calls must be followed by tool messages";
      open.push(...list(message["tool_calls"]).map((call) => String(call["id"])));
    }
    return body["stream"] === true && (body["stream_options"] as Body | undefined)?.["include_usage"] !== true
      ? "the test wants usage"
      : null;
  },
  resultsOf: (body) =>
    list(body["messages"])
      .filter((message) => message["role"] === "tool")
      .map((message) => [String(message["tool_call_id"]), textOf(message["content"])] as const),
  calling: chatTurn(
    {
      content: "I read both files.",
      reasoning_content: THOUGHT,
      tool_calls: INPUTS.map((text, index) => ({
        id: IDS[index],
        type: "function",
        function: { name: "read_file", arguments: text },
      })),
    },
    [
      { reasoning_content: THOUGHT },
      { content: "I read " },
      { content: "both files." },
      ...INPUTS.flatMap((text, index) => [
        calls(index, { id: IDS[index], type: "function", function: { name: "read_file", arguments: "" } }),
        ...halves(text).map((part) => calls(index, { function: { arguments: part } })),
      ]),
    ],
    "tool_calls",
  ),
  saying: (text) =>
    chatTurn(
      { content: text },
      halves(text).map((content) => ({ content })),
      "stop",
    ),
  error: (message) =>
    JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } }),
  errorEvent: plain({ error: { message: "Overloaded", type: "server_error", code: "server_is_overloaded" } }),
};

const RESPONSES_USAGE = {
  input_tokens: TOOL_USAGE.input,
  input_tokens_details: { cached_tokens: TOOL_USAGE.cacheRead },
  output_tokens: TOOL_USAGE.output,
  output_tokens_details: { reasoning_tokens: TOOL_USAGE.reasoning },
  total_tokens: TOOL_USAGE.input + TOOL_USAGE.output,
};

function responsesTurn(output: readonly Body[]): Turn {
  const base = { id: "resp_1", object: "response", created_at: 1, model: "tool-model" };
  const document = { ...base, status: "completed", output, usage: RESPONSES_USAGE };
  const eventsOf = (item: Body, output_index: number): readonly Body[] => {
    const at = { item_id: item["id"], output_index };
    switch (item["type"]) {
      case "reasoning": {
        const { encrypted_content: _, ...begun } = item;
        return [
          { type: "response.output_item.added", output_index, item: { ...begun, summary: [] } },
          {
            type: "response.reasoning_summary_part.added",
            ...at,
            summary_index: 0,
            part: { type: "summary_text", text: "" },
          },
          { type: "response.reasoning_summary_text.delta", ...at, summary_index: 0, delta: THOUGHT },
          { type: "response.reasoning_summary_text.done", ...at, summary_index: 0, text: THOUGHT },
          { type: "response.output_item.done", output_index, item },
        ];
      }
      case "message": {
        const text = textOf(item["content"]);
        return [
          { type: "response.output_item.added", output_index, item: { ...item, content: [] } },
          {
            type: "response.content_part.added",
            ...at,
            content_index: 0,
            part: { type: "output_text", text: "" },
          },
          ...halves(text).map((delta) => ({
            type: "response.output_text.delta",
            ...at,
            content_index: 0,
            delta,
          })),
          { type: "response.output_text.done", ...at, content_index: 0, text },
          { type: "response.output_item.done", output_index, item },
        ];
      }
      default:
        return [
          { type: "response.output_item.added", output_index, item: { ...item, arguments: "" } },
          ...halves(String(item["arguments"])).map((delta) => ({
            type: "response.function_call_arguments.delta",
            ...at,
            delta,
          })),
          { type: "response.function_call_arguments.done", ...at, arguments: item["arguments"] },
          { type: "response.output_item.done", output_index, item },
        ];
    }
  };
  const events: readonly Body[] = [
    { type: "response.created", response: { ...base, status: "in_progress", output: [] } },
    { type: "response.in_progress", response: { ...base, status: "in_progress", output: [] } },
    ...output.flatMap(eventsOf),
    { type: "response.completed", response: document },
  ];
  return {
    document,
    events: events.map((event, sequence_number) =>
      named({ ...event, type: String(event["type"]), sequence_number }),
    ),
  };
}

const message = (text: string): Body => ({
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }],
});
const responses: ToolDialect = {
  path: /^\/v1\/responses$/,
  streams: (_, body) => body["stream"] === true,
  problemOf: (body) => {
    const items = list(body["input"]);
    const answered = items
      .filter((item) => item["type"] === "function_call_output")
      .map((item) => item["call_id"]);
    const open = items.filter(
      (item) => item["type"] === "function_call" && !answered.includes(item["call_id"]),
    );
    if (open.length > 0) return "No tool output found for function call";
    return items.some(
      (item) => item["type"] === "reasoning" && item["encrypted_content"] !== "sealed-by-responses",
    )
      ? "Encrypted content could not be verified"
      : null;
  },
  resultsOf: (body) =>
    list(body["input"])
      .filter((item) => item["type"] === "function_call_output")
      .map((item) => [String(item["call_id"]), textOf(item["output"])] as const),
  calling: responsesTurn([
    {
      id: "rs_1",
      type: "reasoning",
      summary: [{ type: "summary_text", text: THOUGHT }],
      encrypted_content: "sealed-by-responses",
    },
    message("I read both files."),
    ...INPUTS.map((text, index) => ({
      id: `fc_${index}`,
      type: "function_call",
      status: "completed",
      call_id: IDS[index],
      name: "read_file",
      arguments: text,
    })),
  ]),
  saying: (text) => responsesTurn([message(text)]),
  error: (text) =>
    JSON.stringify({ error: { message: text, type: "invalid_request_error", param: null, code: null } }),
  errorEvent: named({
    type: "error",
    code: "server_is_overloaded",
    message: "Overloaded",
    param: null,
    sequence_number: 4,
  }),
};

const GEMINI_USAGE = {
  promptTokenCount: TOOL_USAGE.input,
  candidatesTokenCount: TOOL_USAGE.output - TOOL_USAGE.reasoning,
  thoughtsTokenCount: TOOL_USAGE.reasoning,
  cachedContentTokenCount: TOOL_USAGE.cacheRead,
  totalTokenCount: TOOL_USAGE.input + TOOL_USAGE.output,
};

function geminiTurn(parts: readonly Body[], pieces: readonly Body[]): Turn {
  const chunk = (some: readonly Body[], more: object = {}): object => ({
    candidates: [{ content: { role: "model", parts: some }, index: 0, ...more }],
    modelVersion: "tool-model",
    responseId: "r1",
    usageMetadata: { promptTokenCount: TOOL_USAGE.input, totalTokenCount: TOOL_USAGE.input },
  });
  const last = { usageMetadata: GEMINI_USAGE };
  return {
    document: { ...chunk(parts, { finishReason: "STOP" }), ...last },
    events: [
      ...pieces.map((piece) => plain(chunk([piece]))),
      plain({ ...chunk([{ text: "" }], { finishReason: "STOP" }), ...last }),
    ],
  };
}

const geminiParts = (body: Body): readonly Body[] =>
  list(body["contents"]).flatMap((content) => list(content["parts"]));
const GEMINI_CALLS = PATHS.map((path, index) => ({
  functionCall: { name: "read_file", args: { path } },
  ...(index === 0 ? { thoughtSignature: "sig-of-gemini" } : {}),
}));
const gemini: ToolDialect = {
  path: /^\/v1beta\/models\/tool-model:(?:generateContent|streamGenerateContent\?alt=sse)$/,
  streams: (url) => url.includes(":streamGenerateContent"),
  problemOf: (body) => {
    for (const [index, content] of list(body["contents"]).entries()) {
      if (content["role"] !== (index % 2 === 0 ? "user" : "model")) return "roles must alternate";
      const called = list(content["parts"]).filter((part) => part["functionCall"] !== undefined);
      const next = list(list(body["contents"])[index + 1]?.["parts"]);
      if (called.length !== next.filter((part) => part["functionResponse"] !== undefined).length)
        return "the number of function response parts must equal that of the function calls";
    }
    return null;
  },
  resultsOf: (body) =>
    geminiParts(body).flatMap((part) => {
      const result = part["functionResponse"] as Body | undefined;
      const response = result?.["response"] as Body | undefined;
      return result === undefined ? [] : [[String(result["name"]), String(response?.["output"])] as const];
    }),
  calling: geminiTurn(
    [{ text: THOUGHT, thought: true }, { text: "I read both files." }, ...GEMINI_CALLS],
    [
      { text: THOUGHT.slice(0, 4), thought: true },
      { text: THOUGHT.slice(4), thought: true },
      { text: "I read " },
      { text: "both files." },
      ...GEMINI_CALLS,
    ],
  ),
  saying: (text) =>
    geminiTurn(
      [{ text }],
      halves(text).map((half) => ({ text: half })),
    ),
  error: (message) => JSON.stringify({ error: { code: 400, message, status: "INVALID_ARGUMENT" } }),
  errorEvent: plain({ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } }),
};

export const TOOL_DIALECTS: Readonly<Record<ToolDialectName, ToolDialect>> = {
  messages,
  chat_completions: chat,
  responses,
  generate_content: gemini,
};
