import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createQueryClient } from "./api/query-client.ts";
import { createAppRouter } from "./router.tsx";
import { theme } from "./ui/theme.ts";

const router = createAppRouter();
const queryClient = createQueryClient(() => {
  if (router.state.location.pathname !== "/login") void router.navigate({ to: "/login" });
});

/** The console. */
export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" autoClose={6000} limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
