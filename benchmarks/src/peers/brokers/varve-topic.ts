import { mkdirSync } from 'node:fs'
import { openVarve } from '@varve/broker'
import type { PayloadRecord } from '../../harness/payload.ts'
import type { Peer, PeerStore, RecordVisitor } from '../peer.ts'

/** A topic with a producer and a consumer, as a program has it that had a broker before. */
export const varveTopic: Peer = {
  name: 'varve',
  settings: 'a topic of one partition, a producer and a consumer',
  promises: ['flushed', 'written'],
  async open(path, acks) {
    mkdirSync(path, { recursive: true })
    const varve = await openVarve(path, { cleaning: false })
    await varve.createTopic('bench')
    const producer = varve.producer({ acks })
    const store: PeerStore = {
      append: ({ bytes }: PayloadRecord) => producer.send('bench', { value: bytes }),
      appendBatch: (records) =>
        producer.send(
          'bench',
          records.map(({ bytes }) => ({ value: bytes })),
        ),
      readAll: async (visitor: RecordVisitor) => {
        const consumer = varve.consumer({ topics: ['bench'], from: 'earliest', follow: false })
        for await (const { value } of consumer) if (value !== null) visitor.bytes(value)
      },
      readEach: () => Promise.reject(new Error('a consumer reads from start to end')),
      close: () => varve.close(),
    }
    return store
  },
}
