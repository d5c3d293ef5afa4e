import { describe } from 'vitest'
import { consumingContract } from './consuming-contract.ts'
import type { Home } from './contract-home.ts'
import { groupsContract } from './groups-contract.ts'
import { handlingContract } from './handling-contract.ts'
import { producingContract } from './producing-contract.ts'
import { topicsContract } from './topics-contract.ts'
import { transactionsContract } from './transactions-contract.ts'

/** What a program may rely on, wherever its topics are. */
export function varveContract(name: string, home: Home): void {
  describe(`the contract of a Varve, on ${name}:`, () => {
    describe('topics:', () => topicsContract(home))
    describe('producing:', () => producingContract(home))
    describe('consuming:', () => consumingContract(home))
    describe('groups:', () => groupsContract(home))
    describe('transactions:', () => transactionsContract(home))
    describe('handling:', () => handlingContract(home))
  })
}
