import type { Figure } from '../harness/figure.ts'
import type { Spread } from '../harness/statistics.ts'
import { type CurvePlot, curveDrawing, type PlotCurvePoint } from './curve-plot.ts'
import type { Drawing } from './drawing.ts'
import { ratioDrawing } from './ratio-plot.ts'

/** All plots of a benchmark: its curves, and how its figures stand to what they are beside. */
export function drawingsOf({
  name,
  figures,
}: {
  readonly name: string
  readonly figures: readonly Figure[]
}): readonly Drawing[] {
  const ratios = ratioDrawing(name, figures)
  return [...plotsOf(figures).map(curveDrawing), ...(ratios === null ? [] : [ratios])]
}

/** A plot for each curve; what figures are set beside is drawn with them. */
function plotsOf(figures: readonly Figure[]): readonly CurvePlot[] {
  const drawn = byCurve(figures)
  return [...drawn].flatMap(([title, own]): CurvePlot[] => {
    const [first] = own
    if (first?.plot === undefined) return []
    const rivals = new Map<string, PlotCurvePoint[]>()
    const ours = new Map<number, PlotCurvePoint>()
    for (const { plot, value, limit } of own) {
      if (plot === undefined) continue
      ours.set(plot.at, pointOf(plot.at, value))
      if (limit === null) continue
      const points = rivals.get(limit.name) ?? []
      points.push(pointOf(plot.at, limit.value))
      rivals.set(limit.name, points)
    }
    const curves = [...rivals].map(([name, points]) => ({ name, points }))
    const { along } = first.plot
    const isFitted = curves.length === 0
    const name = isFitted ? title : 'varve'
    return [
      {
        title,
        along,
        unit: first.unit,
        isFitted,
        curves: [{ name, points: [...ours.values()] }, ...curves],
      },
    ]
  })
}

function byCurve(figures: readonly Figure[]): ReadonlyMap<string, readonly Figure[]> {
  const groups = new Map<string, Figure[]>()
  for (const figure of figures) {
    if (figure.plot === undefined) continue
    const { curve } = figure.plot
    groups.set(curve, [...(groups.get(curve) ?? []), figure])
  }
  return groups
}

function pointOf(at: number, { median, min, max }: Spread): PlotCurvePoint {
  return { at, median, min, max }
}
