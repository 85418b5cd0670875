#!/usr/bin/env node
// Runs a script on Node ≥ 24, whatever Node started this file: `node bin/node24.cjs SCRIPT [ARGS…]`.
// CommonJS and old syntax on purpose: this is the one file that an old Node has to understand.
"use strict";
const REQUIRED_MAJOR = 24;

/** Path of a Node binary that is new enough, or null. The platform packages carry one and need no install script. */
function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= REQUIRED_MAJOR) return process.execPath;
  try {
    return require.resolve("node-" + process.platform + "-" + process.arch + "/bin/node");
  } catch {
    return null;
  }
}

/** Runs `args` on a new enough Node and ends this process as that one ended (exit code or signal). */
function runOnNode24(args) {
  const node = findNode();
  if (node === null) {
    process.stderr.write(
      "miyabi needs Node " +
        REQUIRED_MAJOR +
        " or newer; this is " +
        process.versions.node +
        " and no packaged Node was installed.\n" +
        "Fix: install Node 24 from https://nodejs.org, or run `npm ci` again without --omit=optional.\n",
    );
    process.exit(78);
  }
  const { spawn } = require("node:child_process");
  const child = spawn(node, args, { stdio: "inherit" });
  // The child is in our process group: a terminal's Ctrl-C reaches it directly. Only targeted signals are passed on.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write("miyabi could not start " + node + ": " + error.message + "\n");
    process.exit(70);
  });
  child.on("exit", (code, signal) => {
    if (signal !== null) {
      for (const name of ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"]) process.removeAllListeners(name);
      process.kill(process.pid, signal);
    } else process.exit(code === null ? 70 : code);
  });
}

module.exports = { findNode, runOnNode24 };
if (require.main === module) runOnNode24(process.argv.slice(2));
