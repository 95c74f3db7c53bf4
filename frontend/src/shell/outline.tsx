/** The outline: the network as a tree, in step with the canvas; only rows in sight are made. */

import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { CATEGORIES, type Item } from "../graph/network";
import { childrenOf, shownBy } from "../view/opening";
import { useBench, useView } from "./bench";
import { Icon } from "./icons";
import { Name } from "./name";
import { rowKind, rowName, rowsOf } from "./rows";
import { Dot } from "./swatch";

const ROW = 24;
const BEYOND = 8;
const KEYS = [
  "ArrowDown",
  "ArrowUp",
  "ArrowRight",
  "ArrowLeft",
  "PageDown",
  "PageUp",
  "Home",
  "End",
  "Enter",
  " ",
  "*",
];

/** Shows the tree of what is open. */
export function Outline() {
  const { view, network, openMenu, comparison } = useBench();
  const open = useView((state) => state.open);
  const unfolded = useView((state) => state.unfolded);
  const selected = useView((state) => state.selected);
  const hovered = useView((state) => state.hovered);
  const rows = useMemo(() => rowsOf(network, { open, unfolded }), [network, open, unfolded]);
  const [scroll, setScroll] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState<Item | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const prefix = useId();
  const followed = useRef<Item | null>(null);

  const count = rows.items.length;
  const first = Math.max(0, Math.floor(scroll / ROW) - BEYOND);
  const last = Math.min(count, Math.ceil((scroll + height) / ROW) + BEYOND);

  const current = selected === null ? active : shownBy(network, { open, unfolded }, selected);
  const focused = active !== null && rows.rowOf[active] >= 0 ? active : current;

  const showRow = useCallback((row: number) => {
    const element = box.current;
    if (!element || row < 0) return;
    const top = row * ROW;
    if (top < element.scrollTop) element.scrollTop = top - ROW;
    else if (top + ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + 2 * ROW - element.clientHeight;
    }
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setHeight(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    // Only a new selection takes the place of where the arrow keys are, not what opens there.
    const isNew = followed.current !== selected;
    followed.current = selected;
    if (selected === null || !isNew) return;
    const shown = shownBy(network, view.store.getState(), selected);
    setActive(shown);
    showRow(rows.rowOf[shown]);
  }, [selected, network, view, rows, showRow]);

  function go(row: number): void {
    if (count === 0) return;
    const to = Math.max(0, Math.min(count - 1, row));
    setActive(rows.items[to]);
    view.actions.hover(rows.items[to]);
    showRow(to);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const item = focused;
    const row = item === null ? -1 : rows.rowOf[item];
    const isOpen = item !== null && open.has(item);
    const kind = item === null ? null : rowKind(network, item);
    const page = Math.max(1, Math.floor(height / ROW) - 1);
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "ArrowDown") go(row + 1);
    else if (event.key === "ArrowUp") go(row - 1);
    else if (event.key === "PageDown") go(row + page);
    else if (event.key === "PageUp") go(row - page);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(count - 1);
    if (item === null) return;
    if (event.key === "Enter") view.actions.reveal(item);
    else if (event.key === " ") view.actions.select(item);
    else if (event.key === "*") view.actions.openKind(item);
    else if (event.key === "ArrowRight" && kind?.scope) {
      if (!isOpen) view.actions.setOpen(item, true);
      else if (childrenOf(network, item).length > 0) go(row + 1);
    } else if (event.key === "ArrowLeft") {
      if (isOpen) view.actions.setOpen(item, false);
      else if (rows.rowOf[network.parent[item]] >= 0) go(rows.rowOf[network.parent[item]]);
    }
  }

  const visible = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  const focusedRow = focused === null ? -1 : rows.rowOf[focused];
  const inSight = focusedRow >= first && focusedRow < last;
  return (
    <div
      ref={box}
      className="vz-outline"
      role="tree"
      tabIndex={0}
      aria-label="Outline of the network"
      aria-activedescendant={inSight ? `${prefix}-${focused}` : undefined}
      onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onPointerLeave={() => view.actions.hover(null)}
      onFocus={() => {
        if (focused === null && count > 0) setActive(rows.items[0]);
      }}
    >
      <div role="presentation" style={{ height: count * ROW, position: "relative" }}>
        {visible.map((row) => {
          const item = rows.items[row];
          const { scope, repeat } = rowKind(network, item);
          const isOpen = open.has(item);
          const name = rowName(network, item);
          const label = network.label(item);
          const mark = comparison?.marks?.[item] ?? 0;
          return (
            <div
              key={item}
              id={`${prefix}-${item}`}
              role="treeitem"
              tabIndex={-1}
              className="vz-row"
              aria-level={rows.levels[row]}
              aria-expanded={scope ? isOpen : undefined}
              aria-selected={item === current && selected !== null}
              data-hovered={item === hovered || undefined}
              data-active={item === focused || undefined}
              data-mark={mark || undefined}
              style={{
                top: row * ROW,
                paddingLeft: 6 + Math.min(rows.levels[row] - 1, 12) * 12,
              }}
              onPointerEnter={() => view.actions.hover(item)}
              onClick={() => {
                box.current?.focus({ preventScroll: true }); // the tree has the arrow keys
                setActive(item);
                view.actions.reveal(item);
              }}
              onDoubleClick={() => scope && view.actions.toggle(item)}
              onKeyDown={() => undefined}
              onContextMenu={(event) => {
                event.preventDefault();
                view.actions.select(item);
                openMenu({ item, x: event.clientX, y: event.clientY });
              }}
            >
              {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys of the tree open rows */}
              <span
                className="vz-twist"
                data-open={isOpen || undefined}
                onClick={(event) => {
                  if (!scope) return;
                  event.stopPropagation();
                  view.actions.toggle(item);
                }}
                onDoubleClick={(event) => event.stopPropagation()}
                onKeyDown={() => undefined}
              >
                {scope ? (
                  <Icon name="chevron" />
                ) : (
                  <Dot category={CATEGORIES[network.category[item]]} />
                )}
              </span>
              <span className="vz-row-name">
                <Name text={name} mono />
              </span>
              {label !== name ? (
                <span className="vz-row-class">
                  <Name text={label} title={false} />
                </span>
              ) : null}
              {repeat > 1 ? (
                <RunButton item={item} repeat={repeat} unfolded={unfolded.has(item)} />
              ) : null}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function RunButton({ item, repeat, unfolded }: { item: Item; repeat: number; unfolded: boolean }) {
  const { view } = useBench();
  return (
    <button
      type="button"
      tabIndex={-1}
      className="vz-times"
      aria-pressed={unfolded}
      title={unfolded ? "Fold the repeats" : "Show the repeats one by one"}
      onClick={(event) => {
        event.stopPropagation();
        view.actions.unfold(item);
      }}
    >
      ×{repeat}
    </button>
  );
}
