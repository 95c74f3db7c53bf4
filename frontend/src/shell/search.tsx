/** The search: hits are listed while one types, and the canvas flies to the one that is chosen. */

import {
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { exact, plain } from "../graph/text";
import { createSearch, type Found, type Hit } from "../search/search";
import { useBench, useView } from "./bench";
import { Icon } from "./icons";

const DELAY = 90;
const AROUND = 28;
const EMPTY: Found = { hits: [], items: [], note: null };

/** Shows the box and, while there is something in it, what was found. */
export function Search({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const { view, network, viewer } = useBench();
  const query = useView((state) => state.query);
  const [found, setFound] = useState<Found>(EMPTY);
  const [of, setOf] = useState("");
  const [at, setAt] = useState(-1);
  const list = useRef<HTMLDivElement>(null);
  const early = useRef(false); // Enter came before what was found for all that was typed.
  const id = useId();
  const search = useMemo(() => createSearch(network), [network]);

  useEffect(() => {
    const timer = setTimeout(async () => {
      const result = await search.find(query);
      if (result === null) return;
      setFound(result);
      setOf(query);
      const first = early.current ? result.hits[0] : undefined;
      early.current = false;
      setAt(first ? 0 : -1);
      if (query.trim() === "") return;
      if (first) view.actions.reveal(first.item);
      view.actions.light(result.items.length > 0 ? new Set(result.items) : null);
      view.actions.say(`${count(result.items.length)} found`);
    }, DELAY);
    return () => clearTimeout(timer);
  }, [query, search, view]);

  function go(to: number): void {
    const hit = found.hits[to];
    if (!hit) return;
    setAt(to);
    view.actions.reveal(hit.item);
    list.current?.children[to]?.scrollIntoView({ block: "nearest" });
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    const last = found.hits.length - 1;
    if (event.key === "Enter" && of !== query) early.current = true;
    else if (event.key === "ArrowDown" || (event.key === "Enter" && !event.shiftKey))
      go(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp" || event.key === "Enter") go(at <= 0 ? last : at - 1);
    else if (event.key === "Escape") {
      if (query === "") viewer?.stage.element.focus();
      else view.actions.search("");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const asked = query.trim() !== "";
  return (
    <search className="vz-search">
      <div className="vz-search-field">
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Search names, classes, shapes and attributes"
          aria-expanded={asked}
          aria-controls={`${id}-hits`}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder="Search"
          title="A word, a regular expression, or class:Conv shape:64 params:>1M"
          value={query}
          onChange={(event) => view.actions.search(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {asked ? (
          <span className="vz-search-count">
            {at >= 0 ? `${exact(at + 1)}/` : ""}
            {exact(found.items.length)}
          </span>
        ) : (
          <kbd>/</kbd>
        )}
      </div>
      {asked && found.note ? <p className="vz-search-note">{found.note}</p> : null}
      <div
        ref={list}
        id={`${id}-hits`}
        className="vz-hits"
        role="listbox"
        aria-busy={of !== query || undefined}
        aria-label="Found"
        hidden={!asked || found.hits.length === 0}
      >
        {asked
          ? found.hits.map((hit, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: arrow keys in the field do the same
              <div
                key={hit.item}
                id={`${id}-${index}`}
                className="vz-hit"
                role="option"
                tabIndex={-1}
                aria-selected={index === at}
                onClick={() => go(index)}
                onPointerEnter={() => view.actions.hover(hit.item)}
                onPointerLeave={() => view.actions.hover(null)}
              >
                <Excerpt hit={hit} />
                <span className="vz-row-class">
                  <bdi>
                    {hit.place === "class"
                      ? plain(short(network.ids[hit.item]))
                      : network.label(hit.item)}
                  </bdi>
                </span>
              </div>
            ))
          : null}
      </div>
      {asked && found.items.length === 0 ? <p className="vz-search-note">Nothing found.</p> : null}
      {asked && found.items.length > found.hits.length ? (
        <p className="vz-search-note">The best {exact(found.hits.length)} are listed.</p>
      ) : null}
    </search>
  );
}

function Excerpt({ hit: { text, start, end } }: { hit: Hit }) {
  const from = Math.max(0, start - AROUND);
  const to = Math.max(end, start) + AROUND;
  return (
    <bdi className="vz-name vz-mono" title={text.slice(0, 2000)}>
      {from > 0 ? "…" : ""}
      {text.slice(from, start)}
      <mark>{text.slice(start, Math.min(end, start + 200))}</mark>
      {text.slice(end, to)}
      {to < text.length ? "…" : ""}
    </bdi>
  );
}

function short(id: string): string {
  return id.length > 40 ? `…${id.slice(-39)}` : id;
}

function count(number: number): string {
  return number === 0 ? "Nothing" : exact(number);
}
