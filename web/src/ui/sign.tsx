import "./sign.css";
import type { Look } from "./state-look.ts";

export interface SignProps {
  readonly look: Look;
  readonly size?: number;
}

/** The shape of a state, in its colour. Decoration: the word stands beside it. */
export function Sign({ look, size = 12 }: SignProps) {
  return (
    <svg
      className={`m-sign m-tone-${look.tone}`}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
    >
      {drawing(look.shape)}
    </svg>
  );
}

function drawing(shape: Look["shape"]) {
  const ring = <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />;
  switch (shape) {
    case "ring":
      return ring;
    case "target":
      return (
        <>
          {ring}
          <circle cx="6" cy="6" r="2" fill="currentColor" />
        </>
      );
    case "half":
      return (
        <>
          {ring}
          <path d="M6 1.25a4.75 4.75 0 0 1 0 9.5z" fill="currentColor" />
        </>
      );
    case "quarter":
      return (
        <>
          {ring}
          <path d="M6 6V1.25A4.75 4.75 0 0 1 10.75 6z" fill="currentColor" />
        </>
      );
    case "diamond":
      return <path d="M6 .75 11.25 6 6 11.25.75 6z" fill="currentColor" />;
    case "disc":
      return <circle cx="6" cy="6" r="5.25" fill="currentColor" />;
    case "cross":
      return <path d="m2 2 8 8m0-8-8 8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />;
    case "barred":
      return (
        <>
          {ring}
          <path d="m2.8 9.2 6.4-6.4" stroke="currentColor" strokeWidth="1.5" />
        </>
      );
    case "dash":
      return <path d="M2 6h8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />;
    case "return":
      return (
        <path
          d="M3 4.5h4.25a2.5 2.5 0 0 1 0 5H4M3 4.5 5.25 2.25M3 4.5l2.25 2.25"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      );
  }
}
