import type { TimedRecord } from './scenario.ts'

const words =
  'strata of silt and clay settle in the lake each year a pale layer in summer a dark one in winter and who counts them reads ten thousand years of weather pollen ash and flood without a gap'.split(
    ' ',
  )

/** Text that compresses as text does, the same for the same seed. */
export function sampleText(seed: number, bytes: number): string {
  const next = generator(seed)
  let text = ''
  while (text.length < bytes) text += `${words[next() % words.length]} ${next() % 1000} `
  return text.slice(0, bytes)
}

/** Bytes that do not compress, the same for the same seed. */
export function sampleBytes(seed: number, bytes: number): Buffer {
  const next = generator(seed)
  const sample = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) sample[i] = next() >>> 11
  return sample
}

/** Every shape that key, value and headers can take. `base` is the first record's timestamp. */
export function oddRecords(base: number): readonly TimedRecord[] {
  return [
    { key: 'k0', value: 'v0', timestamp: base },
    { key: null, value: 'null key', timestamp: base + 1 },
    { key: 'tombstone', value: null, timestamp: base + 2 },
    { key: '', value: '', timestamp: base + 3 },
    { key: 'earlier', value: 'negative timestamp delta', timestamp: base - 5 },
    { key: null, value: null, timestamp: base + 4 },
    { key: sampleBytes(7, 40), value: sampleBytes(8, 300), timestamp: base + 5 },
    {
      key: 'headers',
      value: 'v',
      timestamp: base + 6,
      headers: [
        { key: 'a', value: '1' },
        { key: 'a', value: '2' },
        { key: 'empty', value: '' },
        { key: 'null', value: null },
        { key: '', value: 'empty key' },
        { key: 'ünï', value: '✓ 𝄞' },
        { key: 'bytes', value: sampleBytes(9, 130) },
      ],
    },
  ]
}

/** Many records of text, about `bytes` in all. */
export function bulkRecords(seed: number, base: number, bytes: number): readonly TimedRecord[] {
  const count = Math.ceil(bytes / 500)
  return Array.from({ length: count }, (_, i) => ({
    key: `key-${i % 17}`,
    value: sampleText(seed * 1000 + i, 500),
    timestamp: base + i,
  }))
}

/** A linear congruential generator (Numerical Recipes), 32 bits. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 3
  }
}
