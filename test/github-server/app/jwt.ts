import { verify } from "node:crypto";
import type { App } from "./state.ts";

const partOf = (text: string | undefined): Record<string, unknown> => {
  try {
    return JSON.parse(Buffer.from(text ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** The app that signed this token, or why it is refused, in GitHub's words. */
export function appOfJwt(apps: readonly App[], jwt: string): App | string {
  const [head, body, signature] = jwt.split(".");
  const claims = partOf(body);
  const app = apps.find(({ id }) => String(id) === String(claims["iss"]));
  if (app === undefined) return "Integration not found";
  const isSigned =
    partOf(head)["alg"] === "RS256" &&
    verify(
      "sha256",
      Buffer.from(`${head ?? ""}.${body ?? ""}`),
      app.publicKey,
      Buffer.from(signature ?? "", "base64url"),
    );
  if (!isSigned) return "A JSON web token could not be decoded";
  const now = Date.now() / 1_000;
  const [iat, exp] = [Number(claims["iat"]), Number(claims["exp"])];
  if (!(iat <= now + 5))
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  if (!(exp > now))
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  if (exp > now + 605) return "'Expiration time' claim ('exp') is too far in the future";
  return app;
}
