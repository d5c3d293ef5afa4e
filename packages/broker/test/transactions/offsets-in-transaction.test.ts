import { expect, test } from 'vitest'
import { ProducerFencedError } from '../../src/base/broker-errors.ts'
import { partsOf } from '../../src/directory-parts.ts'
import { IllegalGenerationError } from '../../src/groups/group-errors.ts'
import {
  commitOffsetsInTransaction,
  placeOfOffsets,
} from '../../src/transactions/offsets-in-transaction.ts'
import {
  NotInTransactionError,
  ProducerIdMappingError,
} from '../../src/transactions/transaction-errors.ts'
import { errorOf, newMachine, openOn } from '../broker-fixture.ts'

test('offsets of a transaction are durable when they are told to be, and count when it commits', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t')
  const groups = await varve.groups()
  const coordinator = partsOf(varve)?.coordinator
  if (coordinator === undefined) throw new Error('a directory has parts')
  const identity = await coordinator.open('p', 60_000, null)
  const member = { memberId: '', groupInstanceId: null, generation: -1 }
  const commit = (changes: object = {}) =>
    commitOffsetsInTransaction(coordinator, groups, {
      ...{ transactionalId: 'p', identity, group: 'g', member },
      offsets: [{ topic: 't', partition: 0, offset: 7 }],
      ...changes,
    })
  await errorOf(commit(), NotInTransactionError)
  await coordinator.addPartitions('p', identity, [placeOfOffsets(groups, 'g')])
  await errorOf(commit({ transactionalId: 'q' }), ProducerIdMappingError)
  await errorOf(commit({ identity: { ...identity, producerEpoch: 9 } }), ProducerFencedError)
  const stranger = { memberId: 'm', groupInstanceId: null, generation: 2 }
  await errorOf(commit({ member: stranger }), IllegalGenerationError)
  await commit()
  const crashed = newMachine(machine.fs.crashState(machine.fs.operations, 'none'))
  await coordinator.end('p', identity, 'commit', { isFlushing: true })
  const [committed] = await groups.fetch('g', [{ topic: 't', partition: 0 }])
  expect(committed?.offset).toBe(7)
  // The power was cut before the commit: its producer, which lives elsewhere, commits now.
  await using recovered = await openOn(crashed, { cleaning: false })
  await partsOf(recovered)?.coordinator.end('p', identity, 'commit', { isFlushing: true })
  const after = await (await recovered.groups()).fetch('g', [{ topic: 't', partition: 0 }])
  expect(after[0]?.offset).toBe(7)
})
