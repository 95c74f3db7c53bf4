/** Icons, drawn on a grid of 16 by 16 in lines of the colour of the text. */

const PATHS = {
  back: "M10 3.5 5.5 8l4.5 4.5",
  forward: "M6 3.5 10.5 8 6 12.5",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  expand: "M8 2v4M8 6 6 4M8 6l2-2M8 14v-4M8 10l-2 2M8 10l2 2M2.5 8h11",
  expandAll: "M5.5 4.5 8 2l2.5 2.5M5.5 11.5 8 14l2.5-2.5M8 2v4.5M8 9.5V14",
  collapseAll: "M5.5 4 8 6.5 10.5 4M5.5 12 8 9.5l2.5 2.5M8 1.5v5M8 9.5v5",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.6 10.6 14 14",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 4.5 9.5 8 6 11.5",
  down: "M4.5 6 8 9.5 11.5 6",
  copy: "M6 6h7v7H6zM3 10V3h7",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  sun: "M8 10.8A2.8 2.8 0 1 0 8 5.2a2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13 9.6A5.5 5.5 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6Z",
  auto: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM8 2.5v11M9.5 5.2h2.6M9.5 8h3.9M9.5 10.8h2.6",
  help: "M5.8 6a2.2 2.2 0 1 1 3.4 1.9c-.8.5-1.2.9-1.2 1.8M8 12.1v.2",
  download: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  upstream: "M8 13.5v-8M5 8l3-3 3 3M3.5 2.5h9",
  downstream: "M8 2.5v8M5 8l3 3 3-3M3.5 13.5h9",
  path: "M4 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM12 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM5.7 11.5H9a2 2 0 0 0 2-2V6.3",
  outline: "M3 3.5h10M5.5 8H13M5.5 12.5H13M3 8h.01M3 12.5h.01",
  panel: "M2.5 3h11v10h-11zM9.5 3v10",
  stack: "M2.5 9.5 8 12.5l5.5-3M2.5 6.5 8 9.5l5.5-3L8 3.5z",
  link: "M6.8 9.2a2.4 2.4 0 0 0 3.4 0l2-2a2.4 2.4 0 0 0-3.4-3.4l-.8.8M9.2 6.8a2.4 2.4 0 0 0-3.4 0l-2 2a2.4 2.4 0 0 0 3.4 3.4l.8-.8",
  target: "M8 13a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon; it says nothing to screen readers, the button around it does. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="vz-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
