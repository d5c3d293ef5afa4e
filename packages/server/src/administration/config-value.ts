import { RequestRefusedError } from '../base/server-errors.ts'
import type { ConfigType } from './config-entry.ts'

/** How Kafka says that there is no limit: the largest long. */
export const kafkaUnlimited = '9223372036854775807'

const longMax = 2n ** 63n - 1n
const ranges = {
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  long: [-(2n ** 63n), longMax],
} as const

/**
 * A setting's value out of its text, read as Kafka reads it. A number too large to be exact comes
 * as the largest that is. Throws RequestRefusedError.
 */
export function parseConfigValue(name: string, type: ConfigType, text: string): unknown {
  const trimmed = text.trim()
  switch (type) {
    case 'boolean':
      if (/^true$/i.test(trimmed)) return true
      if (/^false$/i.test(trimmed)) return false
      throw invalidConfig(name, text, 'it is true or false')
    case 'double':
      if (trimmed !== '' && Number.isFinite(Number(trimmed))) return Number(trimmed)
      throw invalidConfig(name, text, 'it is a number')
    case 'list':
      return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim())
    case 'string':
      return trimmed
    default:
      return parseWhole(name, type, text)
  }
}

/** A setting's value as Kafka writes it. */
export function formatConfigValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (value === Number.MAX_SAFE_INTEGER) return kafkaUnlimited
  return String(value)
}

/** For a value that a setting may not have. */
export function invalidConfig(name: string, value: string, rule: string): RequestRefusedError {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value
  return new RequestRefusedError(
    'INVALID_CONFIG',
    `invalid value ${shown} for configuration ${name}: ${rule}`,
  )
}

function parseWhole(name: string, type: keyof typeof ranges, text: string): number {
  const [min, max] = ranges[type]
  // The longest long has 20 characters: nothing longer is worth converting.
  const isWhole = /^[+-]?\d{1,40}$/.test(text.trim())
  const value = isWhole ? BigInt(text.trim().replace(/^\+/, '')) : null
  if (value === null || value < min || value > max) {
    throw invalidConfig(name, text, `it is a whole number of type ${type}`)
  }
  const safe = BigInt(Number.MAX_SAFE_INTEGER)
  if (value > safe) return Number.MAX_SAFE_INTEGER
  return value < -safe ? -Number.MAX_SAFE_INTEGER : Number(value)
}
