/** The groups of a broker, by state from version 4 on and by type from 5 on. */
export const listGroups = {
  name: 'ListGroups',
  key: 16,
  versions: '0-5',
  flexibleFrom: 3,
  request: { statesFilter: 'string[] 4+', typesFilter: 'string[] 5+' },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    errorCode: 'int16',
    groups: {
      each: {
        groupId: 'string',
        protocolType: 'string',
        groupState: 'string 4+ = ""',
        groupType: 'string 5+ = ""',
      },
    },
  },
} as const
