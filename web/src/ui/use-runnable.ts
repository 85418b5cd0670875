import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../api/queries.ts";

const OURS = /(^|&& |; |\| )miyabi (?=[a-z])/g;

/** Our commands as they run when pasted: where `miyabi` is not on the PATH, with the launcher of this installation. */
export function useRunnable(): (command: string) => string {
  // Only what the overview or the shell has asked for already; before that, the plain name.
  const { data: name } = useQuery({
    ...statusQuery("24h"),
    enabled: false,
    select: (status) => status.command,
  });
  return (command) =>
    name === undefined ? command : command.replace(OURS, (_, before: string) => `${before}${name} `);
}
