/*
 * What supervisor and control plane say to each other over the IPC channel between them. That channel's end is how each
 * learns of the other's death.
 */

/** The control plane, once it serves. */
export const READY = "ready";

/*
 * A control plane whose supervisor was killed starts a new one, serves until that stands, makes room, and ends when it
 * has a successor of its own: at every moment there is one that starts what is missing.
 */

/** The new supervisor: it holds the installation, and the database answers. */
export const TAKES_OVER = "takes-over";
/** The control plane: port and connections are free. Its death says the same. */
export const MADE_ROOM = "made-room";
/** The new supervisor: it has started a control plane. */
export const HAS_STARTED = "has-started";
