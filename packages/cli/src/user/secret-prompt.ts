import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { InterruptedError, type Output } from '../command-io.ts'

/** A terminal that can be told not to show what is typed. */
export type SecretTerminal = Pick<Readable, 'on' | 'off' | 'pause' | 'resume'> & {
  setRawMode(isRaw: boolean): unknown
}

const enter = /[\r\n]/
const arrowsAndTheLike = /\x1b(?:\[[0-9;]*)?[A-Za-z~]/g
const ctrlC = '\x03'
const ctrlD = '\x04'
const ctrlU = '\x15'
const erasing = ['\b', '\x7f']

/** Asks for lines at a terminal that nobody looking on can read. */
export class SecretPrompt {
  readonly #terminal: SecretTerminal
  readonly #output: Output
  readonly #decoder = new StringDecoder('utf8')
  /** Typed, or pasted, behind the line before. */
  #ahead = ''

  constructor(terminal: SecretTerminal, output: Output) {
    this.#terminal = terminal
    this.#output = output
  }

  /** Rejects with InterruptedError when the user gives up, or the signal is aborted. */
  async ask(question: string, signal: AbortSignal): Promise<string> {
    await this.#output.write(question)
    // Nothing is shown; so Ctrl-C is a character too, and is ours to understand.
    this.#terminal.setRawMode(true)
    try {
      return await this.#line(signal)
    } finally {
      this.#terminal.setRawMode(false)
      this.#terminal.pause()
      await this.#output.write('\n')
    }
  }

  #line(signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      let line = ''
      const end = (settle: () => void): void => {
        this.#terminal.off('data', more)
        this.#terminal.off('end', giveUp)
        signal.removeEventListener('abort', giveUp)
        settle()
      }
      const giveUp = (): void => end(() => reject(new InterruptedError()))
      const take = (text: string): void => {
        const characters = [...text.replace(arrowsAndTheLike, '')]
        for (const [index, character] of characters.entries()) {
          if (enter.test(character)) {
            this.#ahead = characters.slice(index + 1).join('')
            end(() => resolve(line))
            return
          }
          if (character === ctrlC || (character === ctrlD && line === '')) {
            giveUp()
            return
          }
          line = edited(line, character)
        }
      }
      const more = (chunk: Buffer): void => take(this.#decoder.write(chunk))
      this.#terminal.on('data', more)
      this.#terminal.on('end', giveUp)
      signal.addEventListener('abort', giveUp)
      if (signal.aborted) {
        giveUp()
        return
      }
      const ahead = this.#ahead
      this.#ahead = ''
      take(ahead)
      this.#terminal.resume()
    })
  }
}

function edited(line: string, character: string): string {
  if (erasing.includes(character)) return [...line].slice(0, -1).join('')
  if (character === ctrlU) return ''
  return character < ' ' ? line : line + character
}
