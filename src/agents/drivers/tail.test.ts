import { expect, it } from "vitest";
import { createTail } from "./tail.ts";

it("a tail keeps the last bytes of a flood", () => {
  const tail = createTail(10);
  for (let index = 0; index < 5_000; index += 1) tail.push(Buffer.from(`${index},`));
  expect(tail.text()).toBe("4998,4999,");
});
