import { defineConfig } from "vitest/config";

const postgres = "test/support/postgres-global-setup.ts";

export default defineConfig({
  test: {
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "bench/**/*.test.ts",
            "examples/**/*.test.ts",
            "test/architecture/**/*.test.ts",
            "test/support/**/*.test.ts",
          ],
          globalSetup: postgres,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          // The console's own parts that need no browser.
          name: "web",
          include: ["web/src/**/*.test.ts"],
          environment: "node",
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/{integration,conformance,simulation,e2e,crash,red-team}/**/*.test.ts"],
          globalSetup: postgres,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // Each file starts whole installations; more at once would measure the machine, not the product.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          // Other people's programs and SDKs against the gateway, installed on demand: `npm run test:clients`, not part of `npm test`.
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          globalSetup: postgres,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          // Real agent programs, installed from npm on demand: `npm run test:agents`, not part of `npm test`.
          name: "agents",
          include: ["test/agents/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
