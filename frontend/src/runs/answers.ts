/** What a server answers about recorded runs. */

/** A run in the list of all. */
export interface RunEntry {
  readonly id: string;
  readonly model: string;
  readonly name: string;
  /** Seconds since 1970, or a date as text. */
  readonly started: number | string | null;
  readonly first_step: number | null;
  readonly last_step: number | null;
  readonly records: number;
  readonly live: boolean;
  readonly has_network: boolean;
  /** Why it cannot be read; null if it can. */
  readonly error: string | null;
}

/** A parameter that was recorded. */
export interface RunParameter {
  readonly fqn: string;
  readonly module: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantities: readonly string[];
}

/** A module whose activations were recorded. */
export interface RunModule {
  readonly fqn: string;
  readonly quantities: readonly string[];
}

/** What a run holds. */
export interface RunAbout {
  readonly id: string;
  readonly model: string;
  readonly name: string;
  readonly parameters: readonly RunParameter[];
  readonly modules: readonly RunModule[];
  readonly scalars: readonly string[];
  readonly statistics: readonly string[];
  readonly first_step: number | null;
  readonly last_step: number | null;
  readonly records: number;
  readonly live: boolean;
}

/** One statistic of everything over all steps; values are float32 in base64, row by row. */
export interface OverviewAnswer {
  readonly steps: readonly number[];
  readonly subjects: readonly string[];
  readonly values: string;
}

/** One quantity of one subject over all steps; counts are numbers in base64, step by step. */
export interface SeriesAnswer {
  readonly steps: readonly number[];
  readonly statistics: Readonly<Record<string, readonly (number | null)[]>>;
  readonly histogram: {
    readonly edges: readonly number[];
    readonly counts: string;
    /** How a count is written; float32 if nothing is said. */
    readonly dtype?: "uint32" | "float32";
  } | null;
}

/** A number at some steps. */
export interface ScalarLine {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Something that is wrong with a run, or worth knowing. */
export interface Diagnosis {
  readonly rule: string;
  readonly severity: "error" | "warning" | "info";
  readonly parameter: string;
  readonly module: string;
  readonly first_step: number;
  readonly last_step: number;
  readonly message: string;
  readonly advice: string;
  readonly evidence: Readonly<Record<string, number | null>>;
  readonly also: readonly string[];
}

/** What a server tells as a run grows. */
export interface RunNews {
  readonly last_step: number | null;
  readonly records: number;
  readonly live: boolean;
}
