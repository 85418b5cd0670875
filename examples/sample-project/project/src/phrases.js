/** What is said at the door, by occasion. */
const PHRASES = {
  welcome: "Welcome!",
};

/** The words for an occasion. */
export function greet(occasion) {
  const phrase = PHRASES[occasion];
  if (phrase === undefined) throw new RangeError(`nothing is said at "${occasion}"`);
  return phrase;
}
