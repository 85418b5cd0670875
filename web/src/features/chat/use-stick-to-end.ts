import { useEffect, useRef, useState } from "react";

const NEAR_PX = 48;

/** Keeps a scrolling box at its end while it grows, unless the person has scrolled away from there. */
export function useStickToEnd(growth: unknown) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = (): void => {
    const element = box.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
    setAtEnd(true);
  };
  useEffect(() => {
    const element = box.current;
    if (atEnd && element !== null) element.scrollTop = element.scrollHeight;
  }, [growth, atEnd]);
  // A keyboard that comes up, or a window that changes, moves the end.
  useEffect(() => {
    const element = box.current;
    if (!atEnd || element === null) return undefined;
    const observer = new ResizeObserver(() => (element.scrollTop = element.scrollHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [atEnd]);
  return {
    box,
    atEnd,
    toEnd,
    onScroll: () => {
      const element = box.current;
      if (element === null) return;
      setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX);
    },
  };
}
