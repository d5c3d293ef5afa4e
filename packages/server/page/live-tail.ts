import type { TailAnswer } from '../src/ui/answers.js'
import { announce } from './dom.ts'
import { count, counted } from './format.ts'

export interface TailListener {
  /** From now on everything that comes is told. */
  opened(): void
  records(answer: TailAnswer): void
  /** How it goes, for those who look. */
  status(text: string): void
  /** It will not go on by itself. */
  ended(): void
}

/** So often those are told who only hear, in ms. */
const announceMs = 5000

/** What comes into a topic, as the server sends it; after an interruption it goes on by itself. */
export class LiveTail {
  readonly #listener: TailListener
  #source: EventSource | null = null
  #received = 0
  #skipped = 0
  #announced = 0
  #announcing = 0

  constructor(listener: TailListener) {
    this.#listener = listener
  }

  get isOpen(): boolean {
    return this.#source !== null
  }

  open(path: string): void {
    this.close()
    this.#received = 0
    this.#skipped = 0
    this.#announced = 0
    const source = new EventSource(path)
    this.#source = source
    source.addEventListener('open', () => {
      this.#say('Waiting for new records …')
      this.#listener.opened()
    })
    source.addEventListener('message', ({ data }) => this.#take(JSON.parse(data) as TailAnswer))
    source.addEventListener('failed', ({ data }) => this.#end(String(JSON.parse(data))))
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) this.#end('The live view was refused.')
      else this.#say('The connection is lost; trying again …')
    })
    this.#announcing = setInterval(() => this.#announce(), announceMs)
  }

  close(): void {
    this.#source?.close()
    this.#source = null
    clearInterval(this.#announcing)
  }

  #take(answer: TailAnswer): void {
    this.#received += answer.records.length
    this.#skipped += answer.skipped
    this.#listener.records(answer)
    const skipped = this.#skipped === 0 ? '' : `, ${count(this.#skipped)} came too fast to be shown`
    this.#say(`Live: ${counted(this.#received, 'record')} so far${skipped}`)
  }

  #say(text: string): void {
    if (this.isOpen) this.#listener.status(text)
  }

  #announce(): void {
    const fresh = this.#received - this.#announced
    this.#announced = this.#received
    if (fresh > 0) announce(counted(fresh, 'new record'))
  }

  #end(text: string): void {
    if (!this.isOpen) return
    this.#listener.status(text)
    this.close()
    this.#listener.ended()
  }
}
