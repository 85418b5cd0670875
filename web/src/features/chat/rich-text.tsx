import "katex/dist/katex.min.css";
import "../../ui/markdown.css";
import { memo, type ComponentProps, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeKatex from "rehype-katex";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { CodeBlock } from "./code-block.tsx";
import { mathDelimiters } from "./math-delimiters.ts";
import { splitBlocks } from "./split-blocks.ts";

export interface RichTextProps {
  readonly text: string;
}

const REMARK = [remarkGfm, remarkMath];
// Only what KaTeX knows and can do no harm with; what it cannot read stays text.
const REHYPE: ComponentProps<typeof ReactMarkdown>["rehypePlugins"] = [
  [rehypeKatex, { throwOnError: false, strict: false, trust: false, maxExpand: 200, maxSize: 20 }],
];
const COMPONENTS: Components = {
  pre: ({ node: _node, ...props }) => <CodeBlock {...props} />,
  a: ({ node: _node, children, href }) => (
    <a className="m-underline" href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  ),
  // An address in an answer would be asked for by itself, and could tell somebody what was said.
  img: ({ alt, src }) => (
    <a className="m-underline" href={typeof src === "string" ? src : ""} target="_blank" rel="noreferrer">
      {alt === undefined || alt === "" ? src : alt}
    </a>
  ),
  input: ({ checked }) => <TaskBox done={checked === true} />,
  table: ({ node: _node, ...props }) => (
    <div className="m-chat-table" tabIndex={0} role="group">
      <table {...props} />
    </div>
  ),
  h1: ({ children }) => <Heading level={3}>{children}</Heading>,
  h2: ({ children }) => <Heading level={3}>{children}</Heading>,
  h3: ({ children }) => <Heading level={4}>{children}</Heading>,
  h4: ({ children }) => <Heading level={5}>{children}</Heading>,
};

function Heading({ level, children }: { readonly level: number; readonly children: ReactNode }) {
  return (
    <p className="m-markdown-heading" role="heading" aria-level={level}>
      {children}
    </p>
  );
}

/** The box of a task list. */
function TaskBox({ done }: { readonly done: boolean }) {
  const { t } = useTranslation();
  return (
    <span role="img" aria-label={done ? t("chat.taskDone") : t("chat.taskOpen")} className="m-chat-box">
      {done ? "☑" : "☐"}
    </span>
  );
}

/** Markdown with tables, code and formulas. The text is a model's: HTML in it stays text, pictures stay links. */
export const RichText = memo(function RichText({ text }: RichTextProps) {
  return (
    <div className="m-markdown m-chat-rich">
      {splitBlocks(text).map((part, index) => (
        <Part key={index} text={part} />
      ))}
    </div>
  );
});

/** Read once: of an answer that is being written only the last part changes. */
const Part = memo(function Part({ text }: RichTextProps) {
  return (
    <ReactMarkdown remarkPlugins={REMARK} rehypePlugins={REHYPE} components={COMPONENTS}>
      {mathDelimiters(text)}
    </ReactMarkdown>
  );
});
