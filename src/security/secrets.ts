import { createHash, timingSafeEqual } from "node:crypto";

/** SHA-256 of a secret, hex; what is stored in its place. Secrets have 256 random bits, so no salt is needed. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Compares in time that says nothing about where, or in which length, the two differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
