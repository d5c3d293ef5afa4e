import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll } from 'vitest'
import { openVarve } from '../../src/open-varve.ts'
import { varveContract } from './varve-contract.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

varveContract('a data directory', { open: () => openVarve(`${temporary.path}/data`) })
