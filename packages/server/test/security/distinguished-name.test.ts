import fc from 'fast-check'
import { expect, test } from 'vitest'
import { subjectOf } from '../../src/security/distinguished-name.ts'
import { commonName, makeAuthority, type Subject, tagged } from '../certificates.ts'
import { checkProperty } from '../property.ts'

const authority = makeAuthority()
const issued = (subject: Subject): Buffer => authority.issue(subject).der

test('the last name comes first', () => {
  const subject: Subject = [
    ['2.5.4.6', 'CH'],
    ['2.5.4.8', 'Bern'],
    ['2.5.4.7', 'Thun'],
    ['2.5.4.10', 'Example'],
    ['2.5.4.11', 'Clients'],
    ['0.9.2342.19200300.100.1.25', 'com'],
    ['0.9.2342.19200300.100.1.1', 'u17'],
    [commonName, 'orders'],
  ]
  const expected = 'CN=orders,UID=u17,DC=com,OU=Clients,O=Example,L=Thun,ST=Bern,C=CH'
  expect(subjectOf(issued(subject))).toBe(expected)
})

test('what has a meaning in names is escaped', () => {
  expect(subjectOf(issued([[commonName, 'a,b+c=d"e\\f<g>h;#']]))).toBe(
    'CN=a\\,b\\+c\\=d\\"e\\\\f\\<g\\>h\\;\\#',
  )
  expect(subjectOf(issued([[commonName, '  x ']]))).toBe('CN=\\ \\ x\\ ')
  expect(subjectOf(issued([[commonName, 'Zoë']]))).toBe('CN=Zoë')
})

test('attributes without a name are written as numbers, with the bytes of their value', () => {
  const subject: Subject = [
    ['1.2.840.113549.1.9.1', tagged(0x16, Buffer.from('a@b.c'))],
    [commonName, 'x'],
  ]
  expect(subjectOf(issued(subject))).toBe('CN=x,1.2.840.113549.1.9.1=#16056140622e63')
})

test('texts of two bytes a character are read', () => {
  const wide = tagged(0x1e, Buffer.from('Ωm', 'utf16le').swap16())
  expect(subjectOf(issued([[commonName, wide]]))).toBe('CN=Ωm')
})

test('bytes that are no certificate have no subject', () => {
  expect(subjectOf(Buffer.alloc(0))).toBeNull()
  expect(subjectOf(Buffer.from('hello'))).toBeNull()
  const der = issued([[commonName, 'x']])
  checkProperty(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), 2000, ([at, byte]) => {
    const changed = Buffer.from(der)
    changed[at] = byte
    const subject = subjectOf(changed)
    expect(subject === null || typeof subject === 'string').toBe(true)
    subjectOf(changed.subarray(0, at))
  })
})
