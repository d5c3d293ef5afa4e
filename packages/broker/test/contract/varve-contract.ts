import { describe } from 'vitest'
import { describeConsuming } from './consuming-contract.ts'
import type { Home } from './contract-home.ts'
import { describeGroups } from './groups-contract.ts'
import { describeHandling } from './handling-contract.ts'
import { describeProducing } from './producing-contract.ts'
import { describeTopics } from './topics-contract.ts'
import { describeTransactions } from './transactions-contract.ts'

/** What a program may rely on, wherever its topics are. */
export function varveContract(name: string, home: Home): void {
  describe(`the contract of a Varve, on ${name}:`, () => {
    describe('topics:', () => describeTopics(home))
    describe('producing:', () => describeProducing(home))
    describe('consuming:', () => describeConsuming(home))
    describe('groups:', () => describeGroups(home))
    describe('transactions:', () => describeTransactions(home))
    describe('handling:', () => describeHandling(home))
  })
}
