// One obedient bad agent per name: `node misbehaving.mjs NAME`.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { ask, say, serve, update } from "./acp.mjs";

const stay = () => setInterval(() => {}, 60_000);
const ended = { stopReason: "end_turn" };

const agents = {
  "exits-at-once": () => {
    process.stderr.write("\u001b[31mno license\u001b[0m found\n");
    process.exit(3);
  },
  "never-answers": stay,
  binary: () => {
    const noise = Buffer.alloc(200_000, Buffer.from([0, 255, 17, 200, 10, 3]));
    process.stdout.write(noise);
    stay();
  },
  "endless-line": () => {
    // 100 MB without a newline that begins like a message.
    const part = Buffer.alloc(1024 * 1024, 0x61);
    process.stdout.write('{"jsonrpc":"2.0","method":"session/update","params":"');
    let left = 100;
    const more = () => {
      while (left > 0) {
        left -= 1;
        if (!process.stdout.write(part)) return void process.stdout.once("drain", more);
      }
    };
    more();
    stay();
  },
  "dies-mid-turn": () =>
    serve({
      onPrompt: () => {
        say("I begin");
        update({
          sessionUpdate: "tool_call",
          toolCallId: "t-1",
          title: "Build",
          kind: "execute",
          status: "in_progress",
        });
        setTimeout(() => {
          process.stderr.write("segmentation fault\n");
          process.exit(139);
        }, 20);
      },
    }),
  "ignores-cancel": () => serve({ onPrompt: () => say("I go on") }),
  "forks-children": () =>
    serve({
      onPrompt: (text, answer) => {
        const child = spawn("sleep", ["600"], { stdio: "ignore" });
        writeFileSync(text, String(child.pid));
        answer(ended);
      },
    }),
  /** Leaves a child behind in each turn, in a session of its own, and never reports. */
  "leaves-children": () =>
    serve({
      onPrompt: (_text, answer) => {
        spawn("sleep", [process.argv[3]], { detached: true, stdio: "inherit" }).unref();
        answer(ended);
      },
    }),
  "floods-messages": () =>
    serve({
      onPrompt: () => {
        const part = "x".repeat(64 * 1024);
        let left = 1600;
        const more = () => {
          for (; left > 0 && !process.stdout.writableNeedDrain; left -= 1) say(part);
          if (left > 0) process.stdout.once("drain", more);
        };
        more();
      },
    }),
  /** Wants a file outside of its clone: by a permission, as the protocol's file, and by itself. */
  "reaches-outside": () =>
    serve({
      onPrompt: async (_text, answer) => {
        const path = process.argv[3];
        const { outcome } = await ask("session/request_permission", {
          sessionId: "s-1",
          toolCall: { toolCallId: "t-1", title: "Write outside", kind: "edit", locations: [{ path }] },
          options: [
            { optionId: "yes", name: "Allow", kind: "allow_always" },
            { optionId: "no", name: "Reject", kind: "reject_once" },
          ],
        });
        const file = await ask("fs/read_text_file", { sessionId: "s-1", path });
        let written = "written";
        try {
          writeFileSync(path, "by the agent");
        } catch {
          written = "not written";
        }
        say(`permission ${outcome.optionId}, file ${file?.content ?? "refused"}, ${written}`);
        answer(ended);
      },
    }),
  "asks-outside": () =>
    serve({
      onPrompt: async (_text, answer) => {
        const { outcome } = await ask("session/request_permission", {
          sessionId: "s-1",
          toolCall: {
            toolCallId: "t-1",
            title: "Read \u001b[2J/etc/shadow",
            kind: "read",
            locations: [{ path: "/etc/shadow" }],
            rawInput: { file_path: "/etc/shadow" },
          },
          options: [
            { optionId: "yes", name: "Allow", kind: "allow_once" },
            { optionId: "no", name: "Reject", kind: "reject_once" },
          ],
        });
        say(outcome.outcome === "selected" ? `chose ${outcome.optionId}` : outcome.outcome);
        answer(ended);
      },
    }),
  "wrong-version": () => serve({ version: 7, onPrompt: () => {} }),
  "needs-login": () =>
    serve({
      onNew: (_answer, fail) => fail({ code: -32000, message: "Authentication required" }),
      onPrompt: () => {},
    }),
  "out-of-quota": () =>
    serve({
      onPrompt: (text, answer, fail) => {
        if (text === "error")
          return fail({
            code: -32603,
            message: "Internal error",
            data: { details: "429 rate_limit_error: try again in 2 hours 5 minutes" },
          });
        say(`Claude AI usage limit reached|${Math.floor(Date.now() / 1000) + 3600}`);
        answer(ended);
      },
    }),
  "odd-messages": () =>
    serve({
      onPrompt: (_text, answer) => {
        process.stdout.write("a greeting\n\n[1,2]\n");
        process.stdout.write('{"jsonrpc":"2.0","id":99,"result":{}}\n{"jsonrpc":"2.0"}\n{"broken\n');
        update({ sessionUpdate: "from_the_future", value: 1 });
        update("not even an object");
        update({
          sessionUpdate: "tool_call",
          toolCallId: "t-1",
          title: "Edit",
          kind: "juggle",
          status: "spinning",
        });
        update({
          sessionUpdate: "tool_call_update",
          toolCallId: "t-1",
          kind: "edit",
          status: "completed",
          content: [
            { type: "diff", path: "a.txt", oldText: null, newText: "one\u001b[31m red" },
            { type: "hologram" },
          ],
        });
        for (const part of ["plain \u001b", "[1mbold\u001b[0m ", "\u202etrick\u0007"]) say(part);
        update({
          sessionUpdate: "plan",
          entries: [
            { content: "One", status: "completed", priority: "high" },
            { content: "Two", status: "later" },
          ],
        });
        answer({
          ...ended,
          usage: { inputTokens: 10, cachedReadTokens: 5, outputTokens: 7, totalTokens: 22 },
        });
      },
    }),
  replays: () =>
    serve({
      capabilities: { loadSession: true },
      onLoad: (answer) => {
        say("old words");
        update({
          sessionUpdate: "tool_call",
          toolCallId: "t-9",
          title: "Old build",
          kind: "execute",
          status: "in_progress",
        });
        answer({});
      },
      onPrompt: (_text, answer) => {
        say("new words");
        answer(ended);
      },
    }),
  "forgets-sessions": () =>
    serve({
      capabilities: { loadSession: true },
      onLoad: (_answer, fail) => fail({ code: -32002, message: "Resource not found" }),
      onPrompt: (_text, answer) => answer(ended),
    }),
};

agents[process.argv[2]]();
