import { styleText } from 'node:util'

const isTerminal = process.stdout.isTTY === true
const hasColour = isTerminal && process.env['NO_COLOR'] === undefined
const barCharacters = 30
const redrawMs = 60

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan'

/** Text in a style, on a terminal that has not asked for plain text. */
export function styled(style: Style, text: string): string {
  return hasColour ? styleText(style, text) : text
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** What comes next, with a blank line before it. */
export function heading(text: string): void {
  print()
  print(styled('bold', text))
}

export function count(number: number): string {
  return new Intl.NumberFormat('en-US').format(number)
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`
}

/** A bar that is redrawn in place; nothing at all where no person looks. */
export class Bar {
  readonly #total: number
  #drawnMs = 0

  constructor(total: number) {
    this.#total = total
  }

  update(done: number, detail: string): void {
    if (!isTerminal || performance.now() - this.#drawnMs < redrawMs) return
    this.#drawnMs = performance.now()
    const filled = Math.round((barCharacters * done) / this.#total)
    const bar = '█'.repeat(filled) + '░'.repeat(barCharacters - filled)
    process.stdout.write(`\r  ${styled('cyan', bar)} ${detail}\u001b[K`)
  }

  /** Takes the bar away. */
  clear(): void {
    if (isTerminal) process.stdout.write('\r\u001b[K')
  }
}
