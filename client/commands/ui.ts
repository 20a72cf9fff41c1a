/** `outpool ui`: opens Temporal's Web UI, and lets it show what the engine stores, until Ctrl-C. */
import { SealingCodec } from '../../config/seal/codec.js'
import { LiveSealKeys } from '../../config/seal/liveKeys.js'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { type CommandContext, print, printNotice } from '../commandContext.js'
import { EngineError, FailedError, UsageError } from '../errors.js'
import { browserOpener, openPage } from '../ui/browser.js'
import { startCodecServer } from '../ui/codecServer.js'

/** Throws EngineError, SealKeyError, FailedError if no Web UI is known, and UsageError for a wrong address. */
export async function ui(context: CommandContext): Promise<void> {
  const home = openHome()
  const engine = readEngine(home)
  if (engine === null)
    throw new EngineError(`no engine is known for ${home.dir}`, 'start it with `outpool up --ui`')
  const address = webAddress(context.option('address')) ?? engine.uiUrl
  if (address === null)
    throw new FailedError(
      'the engine runs without the Web UI',
      engine.pid === null
        ? 'name the Web UI of your own Temporal with --address'
        : 'stop `outpool up`, then start it with --ui',
    )
  const server = await startCodecServer(new SealingCodec(new LiveSealKeys(home), engine.namespace), address)
  const page = `${address}/namespaces/${encodeURIComponent(engine.namespace)}/workflows`
  print(`Web UI: ${page}`)
  const opener = context.flag('open')
    ? browserOpener({ platform: process.platform, env: process.env, isTerminal: process.stdout.isTTY })
    : null
  if (opener !== null && !(await openPage(opener, page)))
    printNotice(`${opener} cannot be run: open the address yourself`)
  print(`Remote codec endpoint: ${server.endpoint}`)
  print('In the Web UI, open Codec Server (at the top right), enter this endpoint, and apply it.')
  print('Keep the endpoint private: who knows it can read your prompts. Ctrl-C ends it.')
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  await server.close()
}

function webAddress(given: string | null): string | null {
  if (given === null) return null
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol))
    throw new UsageError(`${given} is no address of a web page`, 'give it like http://127.0.0.1:8233')
  return given.replace(/\/+$/, '')
}
