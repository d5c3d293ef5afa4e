import { isIP } from 'node:net'
import { clusterResource } from '../base/access.ts'
import { type Acl, anyName } from './acl.ts'

/** In UTF-8, as a request can carry it. */
const nameBytesMax = 32_767

/** What is wrong with a rule, as Kafka refuses it; null where nothing is. */
export function aclFault(acl: Acl): string | null {
  const { resourceType, resourceName, pattern, principal, host } = acl
  if (resourceName === '') return 'the name of the resource is empty'
  for (const [what, text] of Object.entries({ resourceName, principal, host })) {
    if (Buffer.byteLength(text) > nameBytesMax) return `${what} is too long`
  }
  if (resourceType === 'cluster' && (resourceName !== clusterResource || pattern !== 'literal')) {
    return `the only resource of type cluster is named ${clusterResource}`
  }
  if (!/^[^:]+:./s.test(principal)) return "the principal is not written as 'User:name'"
  if (host !== anyName && isIP(host) === 0) return 'the host is neither an address nor *'
  return null
}
