import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileContent } from '../../src/testing/file-content.ts'
import { seedFromEnvironment } from '../../src/testing/index.ts'

type Step =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }
  | { readonly kind: 'clone' }
  | { readonly kind: 'flipBit'; readonly bit: number }

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      position: fc.nat(600),
      bytes: fc.uint8Array({ maxLength: 300 }),
    }),
    fc.record({ kind: fc.constant('truncate' as const), sizeBytes: fc.nat(900) }),
    fc.record({ kind: fc.constant('clone' as const) }),
    fc.record({ kind: fc.constant('flipBit' as const), bit: fc.nat(4000) }),
  ),
  { maxLength: 30 },
)

/** The same on a plain array of bytes. */
function applyTo(bytes: number[], step: Step): void {
  if (step.kind === 'write' && step.bytes.length > 0) {
    while (bytes.length < step.position) bytes.push(0)
    bytes.splice(step.position, step.bytes.length, ...step.bytes)
  }
  if (step.kind === 'truncate') {
    bytes.length = Math.min(bytes.length, step.sizeBytes)
    while (bytes.length < step.sizeBytes) bytes.push(0)
  }
  if (step.kind === 'flipBit') {
    const at = step.bit >> 3
    if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << (step.bit & 7))
  }
}

test('a content is the bytes put into it, whatever its clones become', () => {
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (plan, choices) => {
      const contents = [{ content: new FileContent(), bytes: [] as number[] }]
      for (const step of plan) {
        const index = (choices.next().value ?? 0) % contents.length
        const chosen = contents[index]
        if (chosen === undefined) throw new Error('the index is in range')
        const { content, bytes } = chosen
        if (step.kind === 'clone') contents.push({ content: content.clone(), bytes: [...bytes] })
        if (step.kind === 'write') content.write(step.bytes, step.position)
        if (step.kind === 'truncate') content.truncate(step.sizeBytes)
        if (step.kind === 'flipBit' && step.bit >> 3 < bytes.length) content.flipBit(step.bit)
        applyTo(bytes, step)
        for (const each of contents) {
          expect(each.content.toBuffer().equals(Buffer.from(each.bytes))).toBe(true)
        }
      }
    }),
    { seed: seedFromEnvironment('file content') },
  )
})

test('flipping a bit past the end is refused', () => {
  expect(() => new FileContent(Buffer.alloc(2)).flipBit(16)).toThrow(RangeError)
})
