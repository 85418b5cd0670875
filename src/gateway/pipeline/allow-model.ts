import { fits } from "../routing/glob.ts";
import type { Stage } from "./call.ts";
import { refuse } from "./refuse.ts";

/** Refuses models that the key is not for: neither the asked name nor every target's fits one of its globs. */
export const allowModel: Stage = (call, next) => {
  const { models, label } = call.caller;
  if (models === null) return next(call);
  const allowed = (name: string | null): boolean => name !== null && models.some((glob) => fits(glob, name));
  const { targets } = call;
  if (allowed(call.model) || (targets.length > 0 && targets.every(({ model }) => allowed(model))))
    return next(call);
  return Promise.resolve(
    refuse(call, {
      refusal: "model_forbidden",
      message: `The model "${call.model ?? ""}" is not allowed for ${label}; allowed: ${models.join(", ")}.`,
    }),
  );
};
