export { createHeartbeat, IS_ALIVE, joinMachines, type Machine } from "./machines.ts";
export { placeOf, reserveFor, RESERVED_CHANNEL, takeReserved } from "./run-place.ts";
