/** Removes the access rules that filters match. */
export const deleteAcls = {
  name: 'DeleteAcls',
  key: 31,
  versions: '0-3',
  flexibleFrom: 2,
  request: {
    filters: {
      each: {
        resourceTypeFilter: 'int8',
        resourceNameFilter: 'string?',
        patternTypeFilter: 'int8 1+ = 3',
        principalFilter: 'string?',
        hostFilter: 'string?',
        operation: 'int8',
        permissionType: 'int8',
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    filterResults: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? = null',
        matchingAcls: {
          each: {
            errorCode: 'int16',
            errorMessage: 'string? = null',
            resourceType: 'int8',
            resourceName: 'string',
            patternType: 'int8 1+ = 3',
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
