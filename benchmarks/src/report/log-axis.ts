/** A logarithmic axis over whole decades, or over as much of one as there are values. */
export interface LogAxis {
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
}

/** Around values above zero; others are left out. A decade around 1 when there are none. */
export function logAxisOf(values: readonly number[]): LogAxis {
  const own = values.filter((value) => value > 0 && Number.isFinite(value))
  if (own.length === 0) return { from: 0.1, to: 10, ticks: [0.1, 1, 10] }
  const from = stepBelow(Math.min(...own))
  const to = stepAbove(Math.max(...own))
  const ticks: number[] = []
  const isLong = Math.log10(to / from) > 3
  for (let decade = Math.floor(Math.log10(from)); decade <= Math.ceil(Math.log10(to)); decade++) {
    for (const step of isLong ? [1] : [1, 2, 5]) {
      const tick = Number((step * 10 ** decade).toPrecision(3))
      if (tick >= from && tick <= to) ticks.push(tick)
    }
  }
  return { from, to, ticks }
}

/** Where on the axis a value lies: 0 at its beginning, 1 at its end. */
export function placeOn({ from, to }: LogAxis, value: number): number {
  return Math.log(value / from) / Math.log(to / from)
}

const steps = [1, 2, 5, 10] as const

function stepBelow(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  const step = steps.findLast((one) => one * decade <= value * 0.999_999) ?? 0.5
  return Number((step * decade).toPrecision(3))
}

function stepAbove(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  const step = steps.find((one) => one * decade >= value * 1.000_001) ?? 20
  return Number((step * decade).toPrecision(3))
}
