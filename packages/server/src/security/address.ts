import { isIPv6, SocketAddress } from 'node:net'

/** Whether two texts are the same address: those of IPv6 can be written in several ways. */
export function sameAddress(one: string, other: string): boolean {
  if (one === other) return true
  if (!one.includes(':') || !other.includes(':')) return false
  return canonicalAddress(one) === canonicalAddress(other)
}

/** As Node tells it of a connection. */
export function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address
  return new SocketAddress({ address, family: 'ipv6' }).address
}
