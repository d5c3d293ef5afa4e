import { createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { unseal } from '../../src/keys/passphrase.ts'
import { makePassphraseRecipient } from '../../src/keys/passphrase-recipient.ts'
import { isProven, unwrapKey } from '../../src/keys/recipient.ts'

test('a passphrase opens the private key of its recipient, and the id key', async () => {
  const idKey = Buffer.alloc(32, 7)
  const costs = { scryptN: 1024, rsaBits: 2048 }
  const recipient = await makePassphraseRecipient(idKey, 'a secret phrase', 5, costs)
  expect(isProven(recipient, idKey)).toBe(true)
  expect(recipient.createdMs).toBe(5)
  const { locked } = recipient
  if (locked === null) throw new Error('it is locked by a passphrase')
  expect(await unseal(locked, 'another phrase')).toBeNull()
  const secret = await unseal(locked, 'a secret phrase')
  expect(secret?.subarray(0, 32)).toEqual(idKey)
  const der = secret?.subarray(32) ?? Buffer.alloc(0)
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  expect(unwrapKey(privateKey, recipient.wrappedIdKey)).toEqual(idKey)
})
