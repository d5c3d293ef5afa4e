import { describe, expect, test } from 'vitest'
import { faults, withoutMarker } from '../rot/oracle.ts'
import { directory, killed, plain } from '../rot/shapes.ts'

const first = `${directory}/00000000000000000000.log`
const epochs = `${directory}/leader-epoch-checkpoint`
/** The lowest byte of a batch's leader epoch. */
const epochByte = 15

describe('when witnesses disagree', () => {
  test('the digest proves a header right, and the checkpoint of epochs wrong', async () => {
    const { fs } = await plain('none')
    fs.writeBytes(epochs, Buffer.from('0\n1\n7 0\n'))
    expect(await faults(fs)).toMatchObject([{ code: 'leader-epochs-mismatch', path: epochs }])
  })

  test('the digest proves a header wrong, and the checkpoint of epochs is not blamed', async () => {
    const { fs } = await plain('none')
    fs.flipBit(first, epochByte * 8 + 2)
    expect(await faults(fs)).toMatchObject([{ code: 'header-altered', path: first, position: 0 }])
  })

  test('the checkpoint proves an epoch wrong where there is no digest', async () => {
    const { fs } = await killed()
    const active = `${directory}/00000000000000000011.log`
    fs.flipBit(active, epochByte * 8 + 2)
    expect(await faults(fs)).toMatchObject([
      { code: 'header-altered', path: active, position: 0, firstOffset: 11 },
    ])
  })

  test('several changes of headers are found out, though not which they are', async () => {
    const { fs } = await plain('none')
    const bytes = fs.bytesOf(first)
    const second = 12 + bytes.readInt32BE(8)
    // Two headers at once: no single bit explains the digest.
    fs.flipBit(first, epochByte * 8 + 2)
    fs.flipBit(first, (second + epochByte) * 8 + 3)
    fs.writeBytes(epochs, Buffer.from('0\n2\n4 0\n8 3\n'))
    const found = await faults(withoutMarker(fs))
    expect(found).toContainEqual(
      expect.objectContaining({ code: 'header-altered', path: first, sizeBytes: bytes.length }),
    )
  })
})
