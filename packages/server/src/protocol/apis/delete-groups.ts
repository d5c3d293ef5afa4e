/** Forgets groups that have no members. */
export const deleteGroups = {
  name: 'DeleteGroups',
  key: 42,
  versions: '0-2',
  flexibleFrom: 2,
  request: { groupsNames: 'string[]' },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: { each: { groupId: 'string', errorCode: 'int16' } },
  },
} as const
