import { InvalidArgumentError } from '@varve/record'

/** Throws InvalidArgumentError for what is no name of a group, or one that cannot be noted. */
export function checkGroupName(group: unknown): void {
  if (typeof group === 'string' && group !== '' && Buffer.byteLength(group) <= 0x7fff) return
  throw new InvalidArgumentError('group', group, 'the name of a group is a non-empty string')
}
