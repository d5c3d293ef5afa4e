import { escapeText } from './markup.ts'

/** Told apart by those who do not see all colours (after Okabe and Ito), on white and on black. */
const colours = ['#2a87c8', '#d55e00', '#009e73', '#c96ea0', '#d09000', '#56a9d9', '#8a8f98']

export function colourOf(index: number): string {
  return colours[index % colours.length] ?? ''
}

export const metColour: string = colourOf(0)
export const missedColour: string = colourOf(1)

/** A plot before it is put on a page or into a file. */
export interface Drawing {
  readonly title: string
  readonly width: number
  readonly height: number
  /** SVG without the element around it. */
  readonly body: string
  readonly legend: readonly LegendEntry[]
}

export interface LegendEntry {
  readonly text: string
  readonly colour: string
}

/** A figure of HTML; the page has the style. */
export function drawingFigure({ title, width, height, body, legend }: Drawing): string {
  const entries = legend.map(({ text, colour }) => {
    return `<li style="--c:${colour}">${escapeText(text)}</li>`
  })
  return [
    `<figure class="plot" style="--w:${width}px"><figcaption>${escapeText(title)}</figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">`,
    body,
    '</svg>',
    `<ul class="legend">${entries.join('')}</ul>`,
    '</figure>',
  ].join('\n')
}

const titleHeight = 30
const legendHeight = 20
const characterWidth = 6.6

/**
 * An SVG file, complete in itself. It has no ground, and colours that can be read on white and on
 * black, since whoever shows it does not say on which it stands.
 */
export function drawingFile(drawing: Drawing): string {
  const { title, width, height, body } = drawing
  const rows = legendRows(drawing)
  const entries = rows.flatMap((row, line) => {
    const y = titleHeight + height + 14 + line * legendHeight
    let x = 12
    return row.map(({ text, colour }) => {
      const mark =
        `<circle cx="${x}" cy="${y - 4}" r="4.5" fill="${colour}"/>` +
        `<text x="${x + 9}" y="${y}">${escapeText(text)}</text>`
      x += entryWidth(text)
      return mark
    })
  })
  const allHeight = titleHeight + height + rows.length * legendHeight + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${allHeight}" width="${width}"`,
    ` role="img" aria-label="${escapeText(title)}">`,
    `<title>${escapeText(title)}</title><style>${fileStyle}</style>`,
    `<text class="title" x="12" y="18">${escapeText(title)}</text>`,
    `<g transform="translate(0 ${titleHeight})">`,
    body,
    '</g>',
    ...entries,
    '</svg>',
    '',
  ].join('\n')
}

const fileStyle =
  'text{font:11px system-ui,sans-serif;fill:#6e7681}.title{font-size:14px;font-weight:600}' +
  '.grid{stroke:#8b949e;stroke-opacity:.35}.grid.one{stroke-opacity:.9;stroke-width:1.5}' +
  '.tick,.axis{text-anchor:middle}.tick.y,.label{text-anchor:end}' +
  '.curve{stroke:var(--c);fill:var(--c)}.curve polyline{fill:none;stroke-width:1.8}' +
  `.curve .fit{stroke-dasharray:5 4}.met{stroke:${metColour};fill:${metColour}}` +
  `.missed{stroke:${missedColour};fill:${missedColour}}.asked{stroke:#6e7681;stroke-width:2}`

function legendRows({ width, legend }: Drawing): readonly (readonly LegendEntry[])[] {
  const rows: LegendEntry[][] = []
  let used = Number.POSITIVE_INFINITY
  for (const entry of legend) {
    if (used + entryWidth(entry.text) > width) {
      rows.push([])
      used = 12
    }
    rows.at(-1)?.push(entry)
    used += entryWidth(entry.text)
  }
  return rows
}

function entryWidth(text: string): number {
  return 26 + text.length * characterWidth
}
