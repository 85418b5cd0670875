export { hostCommand } from "./options.ts";
