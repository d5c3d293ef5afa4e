import { describe, expect, test } from 'vitest'
import {
  appendValues,
  bytesAt,
  createLog,
  namesIn,
  openDirectory,
  putBytes,
  readAll,
  reopenLog,
  simulatedPlace,
  values,
} from '../log-fixture.ts'

import { garbage } from './recovery-fixture.ts'

describe('side files that cannot be read', () => {
  async function cleanLog(): Promise<ReturnType<typeof simulatedPlace>> {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { leaderEpoch: 3 })
    await appendValues(log, 15, 10)
    await directory.close()
    const second = await openDirectory(place, { leaderEpoch: 5 })
    await appendValues(second.log('t', 0), 15, 5)
    await second.close()
    return place
  }

  const damages: ReadonlyArray<readonly [string, (bytes: Buffer) => Buffer]> = [
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2) - 1)],
    ['garbage', () => garbage],
    ['zeros', (bytes) => Buffer.alloc(bytes.length + 5)],
    ['huge', (bytes) => Buffer.concat([bytes, Buffer.alloc(17 * 2 ** 20, 0x31)])],
  ]

  test.each(damages)(
    'never keep a log from opening and lose nothing: %s',
    async (_kind, damage) => {
      const place = await cleanLog()
      const names = namesIn(place).filter(
        (name) => !name.endsWith('.log') && name !== 'partition.metadata',
      )
      expect(names.length).toBeGreaterThan(10)
      for (const name of names) {
        const left = simulatedPlace(place.fs.fork())
        putBytes(left, `t-0/${name}`, damage(bytesAt(place, `t-0/${name}`)))
        const { directory, log } = await reopenLog(left)
        expect(await readAll(log), name).toEqual(values(0, 30))
        const { batches } = await log.read({ from: 29 })
        expect(batches.at(-1)?.leaderEpoch).toBe(5)
        await appendValues(log, 1)
        const last = (await log.read({ from: 30 })).batches.at(-1)
        expect(last?.leaderEpoch, name).toBe(5)
        await directory.close()
        const again = await reopenLog(left)
        expect(again.log.recoveryReport).toMatchObject({ clean: true, rebuiltFiles: [] })
        const epochs = bytesAt(left, 't-0/leader-epoch-checkpoint').toString()
        expect(epochs, name).toBe('0\n2\n3 0\n5 15\n')
        await again.directory.close()
      }
    },
  )
})
