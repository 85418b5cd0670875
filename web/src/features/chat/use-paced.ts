import { useEffect, useRef, useState } from "react";

/** Drawing takes the longer the longer a text is: for each 10,000 characters a pause of 50 ms more. */
const STEP_UNITS = 10_000;
const STEP_MS = 50;
const LONGEST_MS = 1_000;

/** A text that grows often, in steps that leave the page time for other things; at once when it does not grow any more. */
export function usePaced(text: string, growing: boolean): string {
  const [shown, setShown] = useState(text);
  const newest = useRef(text);
  useEffect(() => {
    newest.current = text;
  }, [text]);
  const pauseMs = Math.min(LONGEST_MS, STEP_MS * Math.ceil((text.length + 1) / STEP_UNITS));
  useEffect(() => {
    if (!growing) return undefined;
    const timer = setInterval(() => setShown(newest.current), pauseMs);
    return () => clearInterval(timer);
  }, [growing, pauseMs]);
  // The beginning is never waited for.
  return growing && shown !== "" ? shown : text;
}
