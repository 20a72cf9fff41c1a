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
if (argv[0] === '__complete') await (await import('./commands/completeNames.js')).completeNames(argv.slice(1))
else if (problem !== null) {
  process.stderr.write(problem)
  process.exitCode = 1
} else await (await import('./program.js')).main(argv)
