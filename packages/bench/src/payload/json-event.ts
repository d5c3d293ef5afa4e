import type { SeededRandom } from './seeded-random.ts'

const people = ['ada', 'grace', 'edsger', 'barbara', 'leslie', 'radia', 'ken', 'frances'] as const
const actions = ['order.placed', 'order.paid', 'cart.changed', 'login', 'page.viewed'] as const
const words =
  'the a of and to in parcel invoice customer shipped refund delayed warehouse courier signed address late with no reply express fragile return label printed again by hand for on Tuesday'.split(
    ' ',
  ) as [string, ...string[]]

/**
 * The `index`-th of a stream of events: a JSON object of exactly `size` characters, all ASCII, of
 * which gzip leaves about a fifth. Below some 80 characters it is cut, and no JSON any more.
 */
export function jsonEvent(random: SeededRandom, index: number, size: number): string {
  const at = 1_790_000_000_000 + index * 7 + random.integer(7)
  const cents = random.integer(100_000)
  const start = `{"at":${at},"by":"${random.pick(people)}","do":"${random.pick(actions)}","cents":${cents},"note":"`
  const end = '"}'
  let note = ''
  while (start.length + note.length + end.length < size) note += `${random.pick(words)} `
  const text = start + note.slice(0, Math.max(0, size - start.length - end.length)) + end
  return text.slice(0, size)
}
