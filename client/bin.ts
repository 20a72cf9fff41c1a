#!/usr/bin/env node
/** The `outpool` command. Small, so that completion answers while the user is typing. */
import module from 'node:module'
import { openFilesProblem } from './openFiles.js'

// Node 22 and later keep the compiled form of what is loaded: most of the time of a short command is loading.
const compileCache: unknown = Reflect.get(module, 'enableCompileCache')
if (typeof compileCache === 'function') Reflect.apply(compileCache, module, [])

// A reader that ended early (`outpool ls | head -1`) is not an error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })

const argv = process.argv.slice(2)
const problem = openFilesProblem()
const isCompletion = argv[0] === '__complete'
// If the worker answers them, a fraction of the program is enough.
const isQuick = isCompletion || argv[0] === 'ls' || argv[0] === 'show'
if (problem !== null && !isCompletion) {
  process.stderr.write(problem)
  process.exitCode = 1
} else if (!isQuick || !(await (await import('./quick.js')).runQuickly(argv))) {
  if (isCompletion) {
    const { completeNames } = await import('./completion/completeNames.js')
    const { namesInFile } = await import('./completion/namesInFile.js')
    await completeNames(argv.slice(1), namesInFile)
  } else await (await import('./program.js')).main(argv, { isHandedOn: isQuick })
}
