/** Parts of the side panel: titled sections, lists of facts, things that can be copied. */

import { type ReactNode, useState } from "react";
import type { Item } from "../graph/network";
import { plain } from "../graph/text";
import { useBench } from "./bench";
import { Icon } from "./icons";
import { Name } from "./name";

/** A section with a heading; nothing at all if it has no content. */
export function Section({
  title,
  children,
  aside,
}: {
  title: string;
  children: ReactNode;
  aside?: ReactNode;
}) {
  return (
    <section className="vz-section">
      <header className="vz-section-head">
        <h3>{title}</h3>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Names and what they are, in two columns. */
export function Pairs({
  pairs,
  mono = false,
}: {
  pairs: readonly (readonly [string, string])[];
  mono?: boolean;
}) {
  return (
    <dl className="vz-pairs">
      {pairs.map(([name, value], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: attributes may repeat, and do not move
        <div key={at}>
          <dt>
            <Name text={name} />
          </dt>
          <dd>
            <Name text={value} mono={mono} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A text with a button that copies it. */
export function Copyable({
  text,
  shown,
  label,
}: {
  text: string;
  shown?: ReactNode;
  label: string;
}) {
  const { view } = useBench();
  return (
    <span className="vz-copyable">
      {shown ?? <Name text={text} mono />}
      <button
        type="button"
        className="vz-quiet"
        title={`Copy ${label}`}
        aria-label={`Copy ${label}`}
        onClick={() =>
          copy(text).then((done) =>
            view.actions.say(done ? `${label} copied` : "Copying was refused"),
          )
        }
      >
        <Icon name="copy" />
      </button>
    </span>
  );
}

/** A link to an item: goes there when pressed, shows where it is when pointed at. */
export function ItemLink({ item, text }: { item: Item; text?: string }) {
  const { view, network } = useBench();
  return (
    <button
      type="button"
      className="vz-link"
      title={text === undefined ? undefined : plain(network.ids[item].slice(0, 2000))}
      onClick={() => view.actions.reveal(item)}
      onPointerEnter={() => view.actions.hover(item)}
      onPointerLeave={() => view.actions.hover(null)}
    >
      <Name text={text ?? (network.ids[item] || network.name)} mono title={text === undefined} />
    </button>
  );
}

/** The first few of a list, and a button for the others. */
export function Few<T>({
  all,
  most = 8,
  show,
}: {
  all: readonly T[];
  most?: number;
  show: (one: T, at: number) => ReactNode;
}) {
  const [shown, setShown] = useState(most);
  const rest = all.length - shown;
  return (
    <>
      {all.slice(0, shown).map(show)}
      {rest > 0 ? (
        <button type="button" className="vz-more" onClick={() => setShown(shown + 100)}>
          {rest > 100 ? `100 of ${rest} more` : `${rest} more`}
        </button>
      ) : null}
    </>
  );
}

/** Puts text on the clipboard; a page from a file may need the old way. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    const focused = document.activeElement as HTMLElement | null;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus?.();
    return done;
  }
}
