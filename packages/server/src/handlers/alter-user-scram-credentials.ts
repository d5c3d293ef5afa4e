import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { type KafkaError, toldError } from '../base/kafka-error.ts'
import type { RequestOf } from '../protocol/api-declaration.ts'
import { alterUserScramCredentials } from '../protocol/apis/alter-user-scram-credentials.ts'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'
import {
  credentialOf,
  iterationsMax,
  iterationsMin,
  keyBytesOf,
  mechanismOfCode,
} from '../security/scram-credential.ts'
import type { SecurityStore } from '../security/security-store.ts'
import type { CredentialChange, Users } from '../security/users.ts'

type Request = RequestOf<typeof alterUserScramCredentials>
type Upsertion = Request['upsertions'][number]
type Deletion = Request['deletions'][number]

const nameBytesMax = 255

/**
 * AlterUserScramCredentials: sets and removes passwords, which clients have salted. Where one
 * change of a user cannot be made, none of that user's is.
 */
export function alterUserScramCredentialsHandler({ users }: SecurityStore): ApiHandler {
  return handlerOf(alterUserScramCredentials, { versions: '0' }, async (call, request) => {
    const named = [...request.deletions, ...request.upsertions]
    const names = [...new Set(named.map(({ name }) => name))]
    const mayAlter = call.may('alter', 'cluster', clusterResource)
    const faults = new Map<string, KafkaError>()
    const changes = new Map<string, CredentialChange>()
    for (const change of mayAlter ? named : []) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      const read = changeOf(users, change)
      if ('errorCode' in read) faults.set(change.name, read)
      else if (changes.has(keyOf(read))) {
        faults.set(change.name, fault('DUPLICATE_RESOURCE', 'a credential is changed twice'))
      } else changes.set(keyOf(read), read)
    }
    const fine = [...changes.values()].filter(({ user }) => !faults.has(user))
    const failure = await apply(users, fine)
    const results = names.map((user) => {
      if (!mayAlter) {
        return { user, ...fault('CLUSTER_AUTHORIZATION_FAILED', 'this user may not change users') }
      }
      return { user, ...(faults.get(user) ?? failure ?? { errorCode: errorCodes.NONE }) }
    })
    return { results }
  })
}

async function apply(
  users: Users,
  changes: readonly CredentialChange[],
): Promise<KafkaError | null> {
  try {
    if (changes.length > 0) await users.change(changes)
    return null
  } catch (error) {
    return toldError(error)
  }
}

function changeOf(users: Users, change: Upsertion | Deletion): CredentialChange | KafkaError {
  const { name: user } = change
  const mechanism = mechanismOfCode(change.mechanism)
  if (user === '' || user.includes('\0') || Buffer.byteLength(user) > nameBytesMax) {
    return fault('UNACCEPTABLE_CREDENTIAL', 'users have names of 1 to 255 bytes')
  }
  if (mechanism === null) {
    return fault('UNSUPPORTED_SASL_MECHANISM', 'there is no such mechanism of SCRAM')
  }
  if (!('iterations' in change)) {
    if (users.find(user, mechanism) !== null) return { user, mechanism, credential: null }
    return fault('RESOURCE_NOT_FOUND', 'there is no such credential to be removed')
  }
  const { iterations, salt, saltedPassword } = change
  if (iterations < iterationsMin || iterations > iterationsMax) {
    const range = `${iterationsMin} to ${iterationsMax}`
    return fault('UNACCEPTABLE_CREDENTIAL', `the iterations have to be ${range}`)
  }
  if (salt.length === 0 || saltedPassword.length !== keyBytesOf(mechanism)) {
    return fault('UNACCEPTABLE_CREDENTIAL', 'the salt or the salted password is of a wrong length')
  }
  return { user, mechanism, credential: credentialOf(mechanism, salt, iterations, saltedPassword) }
}

function keyOf({ mechanism, user }: CredentialChange): string {
  return `${mechanism} ${user}`
}

function fault(name: ErrorName, errorMessage: string): KafkaError {
  return { errorCode: errorCodes[name], errorMessage }
}
