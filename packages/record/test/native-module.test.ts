import { expect, test } from 'vitest'
import { NativeModuleError } from '../src/index.ts'
import { loadNativeModule } from '../src/native-module.ts'

test('a package that cannot be loaded is named, with its purpose, cause and what to do', () => {
  let error: unknown
  try {
    loadNativeModule('@nobody/no-such-package/binding', 'testing')
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(NativeModuleError)
  expect(error).toMatchObject({
    packageName: '@nobody/no-such-package',
    code: 'VARVE_NATIVE_MODULE',
  })
  expect((error as NativeModuleError).message).toContain('testing')
  expect((error as NativeModuleError).cause).toBeInstanceOf(Error)
  expect((error as NativeModuleError).hint).toContain('npm install @nobody/no-such-package')
})
