/** Asks a server about its runs. */

import type {
  Diagnosis,
  OverviewAnswer,
  RunAbout,
  RunEntry,
  RunNews,
  ScalarLine,
  SeriesAnswer,
} from "./answers";
import { counts, floats } from "./decode";
import { type Matrix, readMatrix } from "./matrix";
import type { Measure } from "./measures";
import { type Distribution, withoutSmallest } from "./pixels";

/** Columns asked for: of an overview, and of the series of one subject. */
const COLUMNS = { overview: 400, series: 600 } as const;

/** Lists the runs; none where a server has no such list. */
export async function listRuns(api: string): Promise<RunEntry[]> {
  const answer = await fetch(`${api}runs`, { credentials: "same-origin" });
  return answer.ok ? ((await answer.json()) as RunEntry[]) : [];
}

/** One quantity of one subject over steps. */
export interface SeriesOf {
  readonly steps: readonly number[];
  readonly statistics: SeriesAnswer["statistics"];
  readonly distribution: Distribution | null;
}

/** What can be asked about one run; all answers are promises that reject with what was said. */
export interface RunSource {
  readonly about: () => Promise<RunAbout>;
  readonly overview: (measure: Measure) => Promise<Matrix>;
  readonly series: (subject: string, quantity: string) => Promise<SeriesOf>;
  readonly scalars: () => Promise<Readonly<Record<string, ScalarLine>>>;
  readonly diagnoses: () => Promise<readonly Diagnosis[]>;
  /** Calls back as the run grows; gives what ends that. */
  readonly follow: (tell: (news: RunNews) => void) => () => void;
}

/** Makes what asks about a run. */
export function runSource(api: string, id: string): RunSource {
  const base = `${api}runs/${encodeURIComponent(id)}`;
  return {
    about: () => get<RunAbout>(base),
    overview: async ({ quantity, statistic }) =>
      readMatrix(
        await get<OverviewAnswer>(
          `${base}/overview?${query({ quantity, statistic, columns: COLUMNS.overview })}`,
        ),
      ),
    series: async (subject, quantity) =>
      readSeries(
        await get<SeriesAnswer>(
          `${base}/series?${query({ subject, quantity, columns: COLUMNS.series })}`,
        ),
      ),
    scalars: () => get(`${base}/scalars`),
    diagnoses: () => get(`${base}/diagnoses`),
    follow: (tell) => {
      const events = new EventSource(`${base}/events`);
      events.onmessage = ({ data }) => {
        try {
          tell(JSON.parse(String(data)) as RunNews);
        } catch {
          // Half a message tells nothing; the next one will.
        }
      };
      return () => events.close();
    },
  };
}

/** Reads a series; a distribution that does not fit its bins is left out. */
export function readSeries({ steps, statistics, histogram }: SeriesAnswer): SeriesOf {
  if (!histogram || histogram.edges.length < 2) return { steps, statistics, distribution: null };
  const numbers =
    histogram.dtype === "uint32" ? counts(histogram.counts) : floats(histogram.counts);
  const fits = numbers.length === steps.length * (histogram.edges.length - 1);
  const distribution = { edges: histogram.edges, counts: numbers, steps: steps.length };
  return { steps, statistics, distribution: fits ? withoutSmallest(distribution) : null };
}

async function get<T>(address: string): Promise<T> {
  const answer = await fetch(address, { credentials: "same-origin" });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text) as T;
  throw new Error(reason(text) || `The server answered ${answer.status}.`);
}

function reason(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: unknown }).error ?? "").slice(0, 2000);
  } catch {
    return "";
  }
}

function query(said: Readonly<Record<string, string | number>>): string {
  return new URLSearchParams(
    Object.entries(said).map(([name, value]) => [name, String(value)]),
  ).toString();
}
