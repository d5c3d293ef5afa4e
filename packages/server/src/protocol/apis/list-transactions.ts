/** The transactional ids of a broker, by state, producer, age and name. */
export const listTransactions = {
  name: 'ListTransactions',
  key: 66,
  versions: '0-2',
  flexibleFrom: 0,
  request: {
    stateFilters: 'string[]',
    producerIdFilters: 'clampedInt64[]',
    durationFilter: 'clampedInt64 1+ = -1',
    transactionalIdPattern: 'string? 2+ = null',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    unknownStateFilters: 'string[]',
    transactionStates: {
      each: { transactionalId: 'string', producerId: 'int64', transactionState: 'string' },
    },
  },
} as const
