/** Menus: what can be done with a box, and lists behind a button of the toolbar. */

import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Item } from "../graph/network";
import { isScope, repeatOf, runFirst } from "../view/opening";
import { type MenuPlace, useBench } from "./bench";
import { Name } from "./name";
import { rove } from "./roving";
import { copy } from "./section";

interface Choice {
  readonly text: string;
  readonly key?: string;
  readonly act: () => void;
}

/** The menu of a box, where the pointer was. */
export function ItemMenu({ place, close }: { place: MenuPlace; close: () => void }) {
  const { view, network, viewer, root } = useBench();
  const { actions } = view;
  const { item } = place;
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: 0, top: 0 });

  useLayoutEffect(() => {
    const menu = box.current;
    if (!menu) return;
    const frame = root.getBoundingClientRect();
    setAt({
      left: Math.max(4, Math.min(place.x - frame.left, frame.width - menu.offsetWidth - 8)),
      top: Math.max(4, Math.min(place.y - frame.top, frame.height - menu.offsetHeight - 8)),
    });
    menu.querySelector("button")?.focus();
  }, [place, root]);
  useDismiss(box, close);

  const choices: Choice[] = [];
  const scope = isScope(network, item) && item !== network.root;
  if (scope) {
    const open = view.store.getState().open.has(item);
    choices.push({ text: open ? "Close" : "Open", key: "Enter", act: () => actions.toggle(item) });
    choices.push({
      text: `${open ? "Close" : "Open"} all of this class`,
      key: "K",
      act: () => actions.openKind(item),
    });
  }
  if (scope && repeatOf(network, runFirst(network, item)) > 1) {
    const unfolded = view.store.getState().unfolded.has(runFirst(network, item));
    const times = repeatOf(network, runFirst(network, item));
    choices.push({
      text: unfolded ? `Fold the ${times} repeats` : `Show all ${times}`,
      key: "R",
      act: () => actions.unfold(item),
    });
  }
  const first = choices.length;
  choices.push(
    { text: "Light upstream", key: "U", act: () => actions.trace("upstream", item) },
    { text: "Light downstream", key: "D", act: () => actions.trace("downstream", item) },
    { text: "Path from here to…", key: "P", act: () => actions.path(item) },
  );
  const from = view.store.getState().selected;
  if (from !== null && from !== item)
    choices.push({ text: "Path from the selection", act: () => actions.path(from, item) });
  const second = choices.length;
  choices.push({ text: "Bring to the middle", key: "F", act: () => viewer?.focus(item) });
  choices.push({ text: "Copy id", key: "Y", act: () => void copyId(item) });

  async function copyId(one: Item): Promise<void> {
    actions.say((await copy(network.ids[one])) ? "Id copied" : "Copying was refused");
  }

  return (
    <div
      ref={box}
      className="vz-menu"
      role="menu"
      tabIndex={-1}
      aria-label="What to do with it"
      style={at}
      onKeyDown={(event) => {
        rove(event, "y");
        if (event.key === "Escape" || event.key === "Tab") {
          event.preventDefault();
          event.stopPropagation();
          close();
          viewer?.stage.element.focus();
        }
      }}
    >
      <p className="vz-menu-title" role="presentation">
        <Name text={network.label(item)} />
      </p>
      {choices.map(({ text, key, act }, index) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          data-first={index === first || index === second || undefined}
          onClick={() => {
            close();
            act();
          }}
        >
          {text}
          {key ? <kbd>{key}</kbd> : null}
        </button>
      ))}
    </div>
  );
}

/** A button that opens a list. */
export function DropDown({
  label,
  title,
  named = false,
  end = false,
  children,
}: {
  label: ReactNode;
  title: string;
  /** Whether the label has words of its own, by which the button is called. */
  named?: boolean;
  /** Whether the list is in line with the end of the button. */
  end?: boolean;
  children: (close: () => void) => ReactNode;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useDismiss(box, () => setOpen(false));
  useEffect(() => {
    if (open) box.current?.querySelector<HTMLElement>("[role=menu] button")?.focus();
  }, [open]);
  return (
    <div ref={box} className="vz-dropdown" data-end={end || undefined}>
      <button
        ref={button}
        type="button"
        className="vz-tool"
        title={title}
        aria-label={named ? undefined : title}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {named ? <span className="vz-live">{title}: </span> : null}
        {label}
      </button>
      {open ? (
        <div
          className="vz-menu"
          role="menu"
          tabIndex={-1}
          aria-label={title}
          onKeyDown={(event) => {
            rove(event, "y");
            if (event.key !== "Escape" && event.key !== "Tab") return;
            event.preventDefault();
            event.stopPropagation();
            setOpen(false);
            button.current?.focus();
          }}
        >
          {children(() => setOpen(false))}
        </div>
      ) : null}
    </div>
  );
}

/** Closes something when one presses outside of it. */
function useDismiss(box: React.RefObject<HTMLElement | null>, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const press = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) latest.current();
    };
    document.addEventListener("pointerdown", press, true);
    return () => document.removeEventListener("pointerdown", press, true);
  }, [box]);
}
