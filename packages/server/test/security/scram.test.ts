import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { ServerState } from '../../src/base/server-state.ts'
import {
  credentialOf,
  credentialText,
  hmac,
  makeCredential,
  parseCredential,
  saltPassword,
  scramMechanisms,
} from '../../src/security/scram-credential.ts'
import { ScramExchange } from '../../src/security/scram-exchange.ts'
import { Users } from '../../src/security/users.ts'
import { ScramClient } from '../sasl-client.ts'

const mechanism = 'SCRAM-SHA-256'

async function usersWith(names: readonly string[]): Promise<Users> {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const users = new Users(ServerState.load(fs, '/data'))
  for (const user of names) {
    const credential = await makeCredential(mechanism, 'pencil', 4096)
    await users.change([{ user, mechanism, credential }])
  }
  return users
}

test('keys are those of the example in RFC 7677', async () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const salted = await saltPassword(mechanism, 'pencil', salt, 4096)
  const { serverKey } = credentialOf(mechanism, salt, 4096, salted)
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const messages = [
    'n=user,r=rOprNGfwEbeRWgbNEkqO',
    `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
    `c=biws,r=${nonce}`,
  ]
  const verifier = hmac(mechanism, serverKey, messages.join(',')).toString('base64')
  expect(verifier).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

test.each(scramMechanisms)('a credential of %s is read as it was written', async (one) => {
  const credential = await makeCredential(one, 'secret', 4096)
  const text = credentialText(credential)
  expect(text).toMatch(/^salt=.+,stored_key=.+,server_key=.+,iterations=4096$/)
  expect(parseCredential(one, text)).toEqual(credential)
  expect(parseCredential(one, text.replace('stored_key=', 'stored_key=A'))).toBeNull()
  expect(parseCredential(one, '')).toBeNull()
})

test.each(['alice', 'a,b=c', 'Zoë 日本'])('the user %s proves its password', async (user) => {
  const exchange = new ScramExchange(mechanism, await usersWith([user]))
  const client = new ScramClient(mechanism, user, 'pencil')
  const challenge = await exchange.next(client.first)
  if (challenge.is !== 'going-on') throw new Error('the first message was refused')
  const last = await exchange.next(client.final(challenge.bytes))
  expect(last).toMatchObject({ is: 'done', user })
  if (last.is === 'done') expect(client.believes(last.bytes)).toBe(true)
})

test('a nonce may stand behind the one of the client, as librdkafka 2.0 writes it', async () => {
  const exchange = new ScramExchange(mechanism, await usersWith(['alice']))
  const client = new ScramClient(mechanism, 'alice', 'pencil')
  const challenge = await exchange.next(client.first)
  if (challenge.is !== 'going-on') throw new Error('the first message was refused')
  const final = client.final(challenge.bytes, { repeatsNonce: true })
  expect((await exchange.next(final)).is).toBe('done')
})

test('a user that is not there is challenged like one that is, always with the same salt', async () => {
  const users = await usersWith(['alice'])
  const challengeOf = async (user: string) => {
    const exchange = new ScramExchange(mechanism, users)
    const step = await exchange.next(new ScramClient(mechanism, user, 'pencil').first)
    if (step.is !== 'going-on') throw new Error('the first message was refused')
    return step.bytes.toString('utf8').replace(/^r=[^,]+,/, '')
  }
  const [alice, nobody] = [await challengeOf('alice'), await challengeOf('nobody')]
  expect(nobody).toBe(await challengeOf('nobody'))
  expect(nobody).not.toBe(alice)
  expect(nobody.length).toBe(alice.length)
  expect(nobody.split(',')[1]).toBe(alice.split(',')[1])
})

const wrongSecond: readonly (readonly [string, (final: string) => string])[] = [
  ['another nonce', (final) => final.replace(/r=[^,]+/, 'r=abc')],
  ['another binding', (final) => final.replace('c=biws', 'c=eSws')],
  ['a proof that is too short', (final) => final.replace(/p=.*/, 'p=AAAA')],
  ['another proof', (final) => final.replace(/p=..../, 'p=AAAA')],
  ['no proof', (final) => final.replace(/,p=.*/, '')],
  ['nothing', () => ''],
]

test.each(wrongSecond)('%s in the second message fails', async (_, change) => {
  const exchange = new ScramExchange(mechanism, await usersWith(['alice']))
  const client = new ScramClient(mechanism, 'alice', 'pencil')
  const challenge = await exchange.next(client.first)
  if (challenge.is !== 'going-on') throw new Error('the first message was refused')
  const final = client.final(challenge.bytes).toString('utf8')
  expect(await exchange.next(Buffer.from(change(final)))).toEqual({ is: 'failed' })
})

test.each([
  'n,,n=alice',
  'p=tls-unique,,n=alice,r=abc',
  'n,a=bob,n=alice,r=abc',
  'n,,n=al=ice,r=abc',
  'n,,r=abc,n=alice',
  '',
  `n,,n=alice,r=${','.repeat(10_000)}`,
])('the first message %s fails', async (text) => {
  const exchange = new ScramExchange(mechanism, await usersWith(['alice']))
  expect(await exchange.next(Buffer.from(text))).toEqual({ is: 'failed' })
})
