import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev -w web` finds the API; the build does not use it. */
const API = process.env["MIYABI_API"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    // The page is served from the same machine; measuring gzip only costs time at first start.
    reportCompressedSize: false,
    // A data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { "/api": API } },
});
