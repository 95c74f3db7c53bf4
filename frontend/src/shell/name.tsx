/** A name from somebody's model: whatever it holds, it stays in its place and does nothing. */

import { plain } from "../graph/text";

/** Longest text that is put into the page; the rest is cut off, a tooltip has more of it. */
const LONGEST = 300;
const LONGEST_TITLE = 2_000;

interface NameProps {
  readonly text: string;
  readonly mono?: boolean;
  readonly title?: boolean;
}

/** Shows a name in one line, cut with an ellipsis where it is too long for its place. */
export function Name({ text, mono = false, title = true }: NameProps) {
  const shown = plain(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  return (
    <bdi
      className={mono ? "vz-name vz-mono" : "vz-name"}
      title={title ? plain(text.slice(0, LONGEST_TITLE)) : undefined}
    >
      {shown}
    </bdi>
  );
}
