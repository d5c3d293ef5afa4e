/** Which broker coordinates a group or a transactional id; from version 4 on, of several. */
export const findCoordinator = {
  name: 'FindCoordinator',
  key: 10,
  versions: '0-6',
  flexibleFrom: 3,
  request: {
    key: 'string 0-3 = ""',
    keyType: 'int8 1+ = 0',
    coordinatorKeys: 'string[] 4+',
  },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    errorCode: 'int16 0-3 = 0',
    errorMessage: 'string? 1-3 = null',
    nodeId: 'int32 0-3 = 0',
    host: 'string 0-3 = ""',
    port: 'int32 0-3 = 0',
    coordinators: {
      each: {
        key: 'string',
        nodeId: 'int32',
        host: 'string',
        port: 'int32',
        errorCode: 'int16',
        errorMessage: 'string? = null',
      },
      in: '4+',
    },
  },
} as const
