import "./markdown.css";
import { parseBlocks, parseInline, type Block } from "./markdown-blocks.ts";

export interface MarkdownProps {
  readonly text: string;
}

/** Text of issues and reports. Everything becomes React elements, nothing HTML: the text is untrusted. */
export function Markdown({ text }: MarkdownProps) {
  return (
    <div className="m-markdown">
      {parseBlocks(text).map((block, index) => (
        <MarkdownBlock key={index} block={block} />
      ))}
    </div>
  );
}

function MarkdownBlock({ block }: { readonly block: Block }) {
  switch (block.type) {
    case "heading":
      return (
        <p className="m-markdown-heading" role="heading" aria-level={Math.min(6, block.level + 2)}>
          <MarkdownInline text={block.text} />
        </p>
      );
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "list": {
      const items = block.items.map((item, index) => (
        <li key={index}>
          <MarkdownInline text={item} />
        </li>
      ));
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case "quote":
      return (
        <blockquote>
          <MarkdownInline text={block.text} />
        </blockquote>
      );
    case "paragraph":
      return (
        <p>
          <MarkdownInline text={block.text} />
        </p>
      );
  }
}

function MarkdownInline({ text }: MarkdownProps) {
  return parseInline(text).map((part, index) => {
    if (part.type === "code") return <code key={index}>{part.text}</code>;
    if (part.type === "strong") return <strong key={index}>{part.text}</strong>;
    if (part.type === "link") {
      return (
        <a key={index} className="m-underline" href={part.href} target="_blank" rel="noreferrer">
          {part.text}
        </a>
      );
    }
    return part.text;
  });
}
