export { formatMenu } from "./menu.js";
export { formatYen } from "./price.js";
export { greet } from "./phrases.js";
