import type { Output } from './command-io.ts'

/** Gathered before it is written: a call into the kernel for many lines instead of each. */
const gatheredCharacters = 64 * 1024

/**
 * Lines on their way to an output. `line` only gathers; whoever loops over much says
 * `if (lines.isFull) await lines.flush()`, and so never runs ahead of a slow reader. Everything is
 * out after `flush`.
 */
export class LineOutput {
  readonly #output: Output
  #gathered: string[] = []
  #characters = 0

  constructor(output: Output) {
    this.#output = output
  }

  get isFull(): boolean {
    return this.#characters >= gatheredCharacters
  }

  line(text = ''): void {
    this.text(text)
    this.text('\n')
  }

  /** One JSON document, on a line of its own. */
  json(document: unknown): void {
    this.line(JSON.stringify(document))
  }

  /** A part of a line. */
  text(text: string): void {
    this.#gathered.push(text)
    this.#characters += text.length
  }

  /** Rejects with ClosedPipeError. */
  async flush(): Promise<void> {
    if (this.#characters === 0) return
    const text = this.#gathered.join('')
    this.#gathered = []
    this.#characters = 0
    await this.#output.write(text)
  }
}

export interface Column {
  readonly title: string
  /** Numbers line up at the right. @defaultValue 'left' */
  readonly align?: 'left' | 'right'
}

/** A table as lines of text: titles, then rows, each column as wide as its widest cell. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, row[index]?.length ?? 0), title.length),
  )
  const renderRow = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ''
        const width = widths[index] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [renderRow(columns.map(({ title }) => title)), ...rows.map(renderRow)]
}
