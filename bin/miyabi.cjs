#!/usr/bin/env node
// The command line: finds a Node that is new enough, builds a source checkout where that is needed, and runs `dist/`.
"use strict";
const { existsSync, realpathSync } = require("node:fs");
const path = require("node:path");
const { findNode, runOnNode24 } = require("./node24.cjs");

const root = path.dirname(path.dirname(realpathSync(__filename)));
const program = path.join(root, "dist", "miyabi.js");
const build = path.join(root, "scripts", "build.ts");
const args = process.argv.slice(2);
// Only what starts the product looks at every source file; other commands take the build that is there.
const command = args.find((arg) => !arg.startsWith("-"));
const starts = command === "up" || command === "start" || command === "demo";

if (existsSync(build) && (starts || !existsSync(program))) {
  const node = findNode();
  const { spawnSync } = require("node:child_process");
  const result = node === null ? null : spawnSync(node, [build, "--if-stale"], { stdio: ["ignore", 2, 2] });
  if (result !== null && result.status !== 0) {
    process.stderr.write(
      "error: miyabi could not be built.\nfix:   run `npm ci` in " + root + " and try again.\n",
    );
    process.exit(70);
  }
}
runOnNode24([program, ...args]);
