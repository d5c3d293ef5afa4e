// Puts the compiled command together into few files, in packages/varve/dist/command: Node takes
// longer to find and load six hundred modules than the command takes for most of what it does.
// Plain JavaScript, as the setup is, which runs it after the compiler. Quick when nothing has
// changed.
//
// Worker threads, native packages and data files are found where they were compiled to, since
// `import.meta.url` is written out as what it is there. Which packages are left for Node to find is
// listed below: natives, which are loaded with `require` from their own package, need no mention.

import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = join(root, 'packages')
const output = join(packages, 'varve', 'dist', 'command')
/** Optional ones, which users install beside the command. */
const left = ['@aws-sdk/client-s3', '@platformatic/kafka', 'better-sqlite3']

if (isStale()) await bundle()

/** Whether a package was compiled after the bundle was made. */
function isStale() {
  const made = statSync(join(output, 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return readdirSync(packages).some((name) => {
    const compiled = join(packages, name, 'dist', '.tsbuildinfo')
    return (statSync(compiled, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= made
  })
}

/** Serving has files of its own: it is to be up soon, and needs little of what the others do. */
async function bundle() {
  rmSync(output, { recursive: true, force: true })
  const serve = join(packages, 'cli', 'dist', 'commands', 'serve.js')
  await put({ serve }, join(output, 'serve'), [])
  await put({ main: join(packages, 'cli', 'dist', 'index.js') }, output, [serve])
}

async function put(input, dir, others) {
  const build = await rolldown({
    input,
    platform: 'node',
    external: left,
    // No module of ours does anything by being loaded: who names a few of a package gets those.
    treeshake: { moduleSideEffects: (id) => !isOurs(id) },
    plugins: [
      {
        name: 'places',
        transform: (code, id) => withPlaces(code, id),
        resolveId(name, from) {
          const isOther = from !== undefined && others.includes(resolve(dirname(from), name))
          return isOther ? { id: './serve/serve.js', external: 'relative' } : null
        },
      },
    ],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`bundle: ${log.message}`)
    },
  })
  await build.write({
    ...{ dir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    // Names are kept, for the stacks of errors that nobody foresaw.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  })
  await build.close()
}

/** Modules of ours know where they are: by their package, wherever that is installed. */
function withPlaces(code, id) {
  const path = relative(packages, id).split(sep)
  if (!isOurs(id) || !code.includes('import.meta.url')) return null
  const place = `new URL('${path.slice(2).join('/')}', import.meta.resolve('@varve/${path[0]}')).href`
  return { code: code.replaceAll('import.meta.url', `(${place})`) }
}

function isOurs(id) {
  const path = relative(packages, id).split(sep)
  return path[0] !== '..' && path[1] === 'dist'
}
