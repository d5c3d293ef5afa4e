import type { Isolation } from '@varve/log'
import { UiRequestError } from './ui-errors.ts'

/** The parameters of a question, each checked as it is asked for. */
export class UiQuery {
  readonly #parameters: URLSearchParams

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters
  }

  text(name: string): string | null {
    const value = this.#parameters.get(name)
    return value === null || value === '' ? null : value
  }

  /** A whole number from 0 on. Throws UiRequestError. */
  whole(name: string): number | null {
    const text = this.text(name)
    if (text === null) return null
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
    throw new UiRequestError(400, `${name} must be a whole number, not '${text.slice(0, 40)}'`)
  }

  /** One that is not more than a maximum: more is made that. */
  limit(name: string, usual: number, max: number): number {
    return Math.min(max, Math.max(1, this.whole(name) ?? usual))
  }

  isolation(): Isolation {
    const text = this.text('isolation') ?? 'uncommitted'
    if (text === 'uncommitted' || text === 'committed') return text
    throw new UiRequestError(400, 'isolation must be uncommitted or committed')
  }
}
