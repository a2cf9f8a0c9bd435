import type { Cli } from "./agent.ts";
import type { RunErrorCode } from "./error-codes.ts";

/** One way in which CLIs fail, and what it means here. Pure data; `docs/errors.md` shows all of it. */
export interface FailureRow {
  /** Lower-case words with hyphens; unique. */
  readonly id: string;
  readonly clis: readonly Cli[] | "all";
  /** What is seen of it, for people. */
  readonly seen: string;
  /** By which it is recognised; any one is enough. Without any it is told by what did not come. */
  readonly traces?: FailureTraces;
  readonly code: RunErrorCode;
  /** What happened. */
  readonly sentence: string;
  /** What a person can do. */
  readonly advice: string;
  /** Whether it speaks against the CLI or its provider, and not only against this prompt or these settings. */
  readonly countsAgainstService: boolean;
  /** Whether the same prompt may do better without anything being changed before. */
  readonly retry: boolean;
  readonly evidence: Evidence;
}

export interface FailureTraces {
  /** Words of the CLI. */
  readonly wording?: RegExp;
  /** HTTP statuses of the model's API. */
  readonly statuses?: readonly number[];
  /** Exit codes of a process that gave no result, where the number can mean nothing else. */
  readonly exitCodes?: readonly number[];
}

/** Folders below test/fixtures/recordings that show it; or where it is known from, and so why none does. */
export type Evidence = { readonly recordings: readonly string[] } | { readonly source: string };
