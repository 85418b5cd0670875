import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Ink: the neutral of the product. Actions are ink on paper; colours are left to states and agents. */
const ink: MantineColorsTuple = [
  "#f4f4f2",
  "#e6e6e3",
  "#cfcfcb",
  "#b0b1ae",
  "#8c8d8d",
  "#6a6b6e",
  "#4b4d52",
  "#34363b",
  "#212328",
  "#16171b",
];

export const theme = createTheme({
  colors: { ink },
  primaryColor: "ink",
  primaryShade: { light: 8, dark: 1 },
  defaultRadius: "md",
  radius: { xs: "4px", sm: "6px", md: "6px", lg: "6px", xl: "6px" },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Hiragino Sans", "Yu Gothic UI", Meiryo, "Noto Sans JP", "Noto Sans CJK JP", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "20px", xl: "28px" },
  shadows: {
    xs: "var(--m-shadow)",
    sm: "var(--m-shadow)",
    md: "var(--m-shadow)",
    lg: "var(--m-shadow)",
    xl: "var(--m-shadow)",
  },
  headings: { fontWeight: "600" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Tooltip: {
      defaultProps: { openDelay: 300, withArrow: false, events: { hover: true, focus: true, touch: false } },
    },
    TextInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    MultiSelect: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
    Menu: { defaultProps: { withinPortal: true, position: "bottom-end" } },
  },
});
