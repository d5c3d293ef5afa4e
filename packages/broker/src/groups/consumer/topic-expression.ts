import assert from 'node:assert/strict'
import type { RE2JS } from 're2js'
import { InvalidExpressionError } from './consumer-group-errors.ts'

/**
 * So large may the program of an expression become, at most: matching takes time in proportion to
 * it and to the length of a topic's name, and to nothing else. The worst take some 0.1 s for one
 * name then.
 */
const sizeMax = 2000
/** RE2 itself repeats nothing more often, in however many steps. */
const repeatMax = 1000

let engine: typeof RE2JS | null = null

/** What expressions need is loaded when the first one comes: few groups have any. */
export async function loadExpressions(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS
}

/**
 * Throws InvalidExpressionError for what is no expression in the syntax of RE2, which is what Kafka
 * reads, or is one too large.
 */
export function checkExpression(group: string, expression: string): void {
  if (largestSizeOf(expression) > sizeMax) {
    throw new InvalidExpressionError(group, expression, 'it is too large')
  }
  try {
    compile(expression)
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new InvalidExpressionError(group, expression, reason)
  }
}

/** Tells of a name whether all of it matches an expression; nothing does where it is none. */
export function topicMatcher(expression: string): (name: string) => boolean {
  if (largestSizeOf(expression) > sizeMax) return () => false
  try {
    const compiled = compile(expression)
    return (name) => compiled.matches(name)
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    return () => false
  }
}

function compile(expression: string): RE2JS {
  assert(engine !== null, 'expressions are loaded before they are read')
  return engine.compile(expression)
}

/** More than the number of steps that an expression may be compiled to. */
function largestSizeOf(expression: string): number {
  let repeats = 1
  for (const [, min, max] of expression.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g)) {
    repeats = Math.min(repeatMax, repeats * Math.max(1, Number(min), Number(max ?? 0)))
  }
  return expression.length * repeats
}
