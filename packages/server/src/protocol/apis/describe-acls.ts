/** The access rules that a filter matches. Before version 1 all of them name one resource. */
export const describeAcls = {
  name: 'DescribeAcls',
  key: 29,
  versions: '0-3',
  flexibleFrom: 2,
  request: {
    resourceTypeFilter: 'int8',
    resourceNameFilter: 'string?',
    patternTypeFilter: 'int8 1+ = 3',
    principalFilter: 'string?',
    hostFilter: 'string?',
    operation: 'int8',
    permissionType: 'int8',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    resources: {
      each: {
        resourceType: 'int8',
        resourceName: 'string',
        patternType: 'int8 1+ = 3',
        acls: {
          each: {
            principal: 'string',
            host: 'string',
            operation: 'int8',
            permissionType: 'int8',
          },
        },
      },
    },
  },
} as const
