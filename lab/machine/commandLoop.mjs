/**
 * Runs the built `outpool` command for each message, one after the other, in one process that has loaded it once. warmCommand.ts
 * starts it, and reads what it prints.
 */
import { pathToFileURL } from 'node:url'

const [program] = process.argv.slice(2)
const streams = [process.stdout, process.stderr]
// Each run of the command adds listeners to them.
for (const stream of streams) stream.setMaxListeners(0)

let runs = 0
process.on('message', async ({ args, env, cwd }) => {
  process.argv = [process.execPath, program, ...args]
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  process.exitCode = undefined
  let code = 1
  try {
    // Another address makes another module: the entry runs again, and what it imports is there already.
    runs += 1
    await import(`${pathToFileURL(program).href}?run=${runs}`)
    code = process.exitCode ?? 0
  } catch (error) {
    process.stderr.write(`${error.stack}\n`)
  }
  // Programs that the command has started print to the same pipes: all that belongs to this run comes before its end.
  for (const stream of streams) stream.write(`\0${code}\0`)
})
process.on('disconnect', () => process.exit())
