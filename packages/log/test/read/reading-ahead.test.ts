import { afterEach, describe, expect, test } from 'vitest'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import { appendValues, createLog, type Place, places, removePlace, values } from '../log-fixture.ts'

describe.each(places)('reading ahead on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('of what another process has not written yet is forgotten when it has', async () => {
    place = makePlace()
    // Behind the records there are zeros, as far as a reader reads ahead.
    const { directory, log } = await createLog(place, { preallocate: true, segmentBytes: 2 ** 20 })
    await appendValues(log, 2)
    await using readOnly = await openLogReadOnly(`${place.path}/t-0`, { fs: place.fs })
    await using reader = readOnly.reader({ from: 0, follow: true })
    const found: unknown[] = []
    for (const count of [2, 4, 6]) {
      while (found.length < count) {
        const { value: batch } = await reader.next()
        for (const { offset, value } of batch?.records() ?? []) {
          found.push({ offset, value: String(value) })
        }
      }
      await appendValues(log, 2)
    }
    expect(found).toEqual(values(0, 6))
    await directory.close()
  })
})
