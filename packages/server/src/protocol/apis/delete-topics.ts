/** Removes topics; from version 6 on also by their ids. */
export const deleteTopics = {
  name: 'DeleteTopics',
  key: 20,
  versions: '0-6',
  flexibleFrom: 4,
  request: {
    topics: { each: { name: 'string? = null', topicId: 'uuid' }, in: '6+' },
    topicNames: 'string[] 0-5',
    timeoutMs: 'int32',
  },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    responses: {
      each: {
        name: 'string?6+',
        topicId: 'uuid 6+ = 0',
        errorCode: 'int16',
        errorMessage: 'string? 5+ = null',
      },
    },
  },
} as const
