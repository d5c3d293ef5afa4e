import { readFileSync } from 'node:fs'

interface SchemaVector {
  readonly name: string
  readonly version: number
  readonly hex: string
}

interface PartitionVector {
  readonly name: 'partitionFor'
  readonly group: string
  readonly of50: number
  readonly of7: number
}

/** Bytes that Apache Kafka 4.4.0's own message classes wrote, one version a line. */
const lines = readFileSync(new URL('kafka-schemas.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as SchemaVector | PartitionVector)

export const partitionVectors: readonly PartitionVector[] = lines.filter(
  (line): line is PartitionVector => line.name === 'partitionFor',
)

export function schemaVectors(name: string): ReadonlyArray<readonly [number, Buffer]> {
  return lines
    .filter((line): line is SchemaVector => line.name === name && 'hex' in line)
    .map(({ version, hex }) => [version, Buffer.from(hex, 'hex')])
}
