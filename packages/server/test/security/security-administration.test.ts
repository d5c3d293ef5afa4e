import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { checkUser } from '../../src/security/security-administration.ts'

const usual = { mechanisms: ['SCRAM-SHA-512'], iterations: 4096 } as const

test('a user with a name and a password is one', () => {
  expect(() => checkUser('alice', 'secret', usual)).not.toThrow()
})

test.each([
  ['', 'secret', usual],
  ['a\0b', 'secret', usual],
  ['ä'.repeat(128), 'secret', usual],
  ['alice', '', usual],
  ['alice', 'se\0cret', usual],
  ['alice', 'secret', { ...usual, iterations: 4096.5 }],
  ['alice', 'secret', { ...usual, iterations: 16_385 }],
  ['alice', 'secret', { ...usual, mechanisms: ['PLAIN' as never] }],
])('%j with the password %j and %j is none, and the error has no password', (...user) => {
  const [name, password, options] = user
  const error = (() => {
    try {
      checkUser(name, password, options)
    } catch (thrown) {
      return thrown
    }
    return null
  })()
  expect(error).toBeInstanceOf(InvalidArgumentError)
  if (password !== '') expect(String(error)).not.toContain(password)
})
