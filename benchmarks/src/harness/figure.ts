import type { Spread } from './statistics.ts'

/** MB and GB are powers of ten, MiB of two. */
export type Unit =
  | 'MB/s'
  | 'records/s'
  | 'appends/s'
  | 'batches/s'
  | 'ops/s'
  | 'reads/s'
  | 's'
  | 'ms'
  | 'µs'
  | 'ns'
  | 'MiB'
  | 'KiB'
  | 'B'
  | 'count'
  | 'exponent'

/** What is asked of a figure. A ratio is to the limit's median. */
export type Bar =
  | { readonly kind: 'ratio'; readonly atLeast: number }
  | { readonly kind: 'value'; readonly atLeast: number }
  /** `always`: the worst repeat has to keep it too, where otherwise the median has to. */
  | { readonly kind: 'value'; readonly atMost: number; readonly always?: true }

/** The figure beside its limit, both measured in turns in the same run. */
export interface Limit {
  /** What does the same work with as little as possible. */
  readonly name: string
  readonly value: Spread
  /** Figure to limit: how much of what is possible is reached. */
  readonly ratioOfMedians: number
  /** The same, neighbour by neighbour. */
  readonly pairwiseRatio: Spread
}

/** Something that was seen beside a figure, of it and of its limit. */
export interface Aside {
  /** With its unit. */
  readonly name: string
  readonly value: Spread
  readonly limit: Spread | null
}

/** A figure's place among others that differ from it by a number only. */
export interface PlotPoint {
  /** Figures with the same curve are drawn as one. */
  readonly curve: string
  /** What grows, and how much of it there was. */
  readonly along: string
  readonly at: number
}

export interface Verdict {
  readonly isMet: boolean
  /** How far the figure lies beyond the bar, or (negative) short of it, as a part of the bar. */
  readonly margin: number
}

/** One line of a benchmark's table. */
export interface Figure {
  readonly name: string
  readonly unit: Unit
  readonly value: Spread
  /** Null where there is none to be had, and the figure is for information. */
  readonly limit: Limit | null
  readonly bar: Bar | null
  readonly verdict: Verdict | null
  /** Of what was written or read: equal in every repeat, or the run fails. */
  readonly hash: string
  /** What else was seen in the same measurements. */
  readonly aside?: readonly Aside[]
  /** Where it stands in a plot; absent in what is not drawn. */
  readonly plot?: PlotPoint
  /** Whatever else has to be known: payload, flush policy, sizes. */
  readonly conditions: Readonly<Record<string, string | number>>
}

export function verdictOf(bar: Bar, value: Spread, limit: Limit | null): Verdict {
  if (bar.kind === 'ratio') {
    const ratio = limit?.ratioOfMedians ?? Number.NaN
    return { isMet: ratio >= bar.atLeast, margin: ratio / bar.atLeast - 1 }
  }
  if ('atLeast' in bar) {
    return { isMet: value.median >= bar.atLeast, margin: value.median / bar.atLeast - 1 }
  }
  const reached = bar.always ? value.max : value.median
  return { isMet: reached <= bar.atMost, margin: 1 - reached / bar.atMost }
}
