import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVarve } from '@varve/broker'
import { afterAll, beforeAll } from 'vitest'
import { varveContract } from '../../packages/broker/test/contract/varve-contract.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-cluster-'))
  let broker: KafkaBroker | null = null

  beforeAll(async () => {
    broker = await startBroker(release, { directory })
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(directory, { recursive: true, force: true })
  })

  const cluster = { heartbeatIntervalMs: 300 }
  varveContract('a cluster', {
    open: () => openVarve(`kafka://${broker?.bootstrapServers ?? ''}`, { cluster }),
  })
})
