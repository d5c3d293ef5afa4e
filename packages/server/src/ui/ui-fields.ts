import { UiRequestError } from './ui-errors.ts'

/** What the page sends with a change: a JSON object, each field checked as it is asked for. */
export interface Fields {
  /** Throws UiRequestError where it is missing. */
  text(name: string): string
  optionalText(name: string): string | null
  /** Null where it is not given. Throws UiRequestError for what is no whole number from 0 on. */
  whole(name: string): number | null
  /** Throws UiRequestError unless the field `confirm` says what is about to be changed. */
  confirms(what: string): void
}

/** Throws UiRequestError for what is no object. */
export function fieldsOf(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new UiRequestError(400, 'a change is a JSON object')
  }
  const values = new Map(Object.entries(body))
  const optionalText = (name: string): string | null => {
    const value = values.get(name) ?? null
    if (value === null || typeof value === 'string') return value
    throw new UiRequestError(400, `${name} must be a text`)
  }
  return {
    optionalText,
    text(name) {
      const value = optionalText(name)
      if (value === null || value === '') throw new UiRequestError(400, `${name} is missing`)
      return value
    },
    whole(name) {
      const value = values.get(name) ?? null
      if (value === null) return null
      if (Number.isSafeInteger(value) && value >= 0) return value
      throw new UiRequestError(400, `${name} must be a whole number`)
    },
    confirms(what) {
      if (optionalText('confirm') === what) return
      throw new UiRequestError(400, `not confirmed: confirm must be '${what}'`)
    },
  }
}
