/** The worker that layouts are made in. */

import { layOut } from "./layout";
import { emptyMemo } from "./memo";
import { type Answer, buffersOf, type Question } from "./message";
import { type Survey, survey } from "./survey";

const memo = emptyMemo();
let known: Survey | null = null;

addEventListener("message", ({ data }: MessageEvent<Question>) => {
  if (data.kind === "outline") {
    known = survey(data.outline);
    return;
  }
  if (known === null) return;
  let answer: Answer;
  try {
    answer = { number: data.number, picture: layOut(known, data.opening, memo), trouble: "" };
  } catch (error) {
    answer = { number: data.number, picture: null, trouble: String(error) };
  }
  postMessage(answer, { transfer: answer.picture === null ? [] : buffersOf(answer.picture) });
});
