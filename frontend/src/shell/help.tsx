/** The list of keys, and a word on the mouse. */

import { useEffect, useRef } from "react";
import { Icon } from "./icons";
import { BINDINGS, type Binding } from "./keys";

const GROUPS = ["Move", "Open", "Follow", "Show"] as const;
const MOUSE: readonly (readonly [string, string])[] = [
  ["drag", "move the view"],
  ["wheel, pinch", "zoom to the pointer"],
  ["click", "select"],
  ["double click", "open or close"],
  ["right click", "what can be done with a box"],
];

/** Shows the help until it is closed. */
export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="vz-help"
      aria-labelledby="vz-help-title"
      onClose={close}
      onKeyDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <header>
        <h2 id="vz-help-title">Keys</h2>
        <button
          type="button"
          className="vz-tool"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="vz-help-groups">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {BINDINGS.filter((one) => one.group === group).map((one) => (
                <div key={one.does}>
                  <dt>
                    <Keys binding={one} />
                  </dt>
                  <dd>{one.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Mouse</h3>
          <dl>
            {MOUSE.map(([what, does]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </dialog>
  );
}

function Keys({ binding }: { binding: Binding }) {
  return binding.keys.map((key) => <kbd key={key}>{spelled(key)}</kbd>);
}

function spelled(key: string): string {
  const arrows: Record<string, string> = {
    ArrowUp: "↑",
    ArrowDown: "↓",
    ArrowLeft: "←",
    ArrowRight: "→",
  };
  return key
    .split(/\+(?=.)/)
    .map(
      (part) =>
        arrows[part] ??
        (part === " "
          ? "Space"
          : part === "Escape"
            ? "Esc"
            : part.length === 1
              ? part.toUpperCase()
              : part),
    )
    .join(" ");
}
