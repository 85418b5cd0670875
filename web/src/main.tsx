import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./ui/theme.css";
// Before the pages, which load their own styles on demand and change parts of these.
import "./ui/list.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { startI18n } from "./i18n/index.ts";

// Not awaited at the top: the lazy pages import parts of this file's chunk, which would then have to be cut in small pieces.
void startI18n().then(() => {
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no #root");
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
});
