/** A state machine as data: for each state, the inputs it takes and where they lead. What is not listed is refused. */
export type TransitionTable<State extends string, Input extends string> = {
  readonly [S in State]: { readonly [I in Input]?: State };
};

/** State after `input`, or null where `state` does not take it. Pure. */
export function nextState<State extends string, Input extends string>(
  table: TransitionTable<State, Input>,
  state: State,
  input: Input,
): State | null {
  return table[state][input] ?? null;
}
