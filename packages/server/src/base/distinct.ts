/**
 * Each of what a request names, once, in order: an answer that says all of a thing as often as it
 * is named could be thousands of times as large as the request.
 */
export function distinctBy<Named>(all: readonly Named[], keyOf: (one: Named) => string): Named[] {
  const first = new Map<string, Named>()
  for (const one of all) {
    const key = keyOf(one)
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}
