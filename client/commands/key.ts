/** `outpool key list|rotate|use|prune`: the keys that seal what the engine stores. */
import { configuredEngine } from '../../config/load/temporalSettings.js'
import { ensureSealKeys, idOfEntry, readKeyEntries } from '../../config/seal/keys.js'
import { addSealKey, useSealKey } from '../../config/seal/rotateKeys.js'
import { type Home, openHome } from '../../config/state/home.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { UsageError } from '../errors.js'

export async function key(context: CommandContext): Promise<void> {
  const home = openHome()
  const what = context.argument(0, 'list, rotate, use or prune')
  const id = context.args[1]
  if ((id !== undefined) !== (what === 'use'))
    throw new UsageError(
      what === 'use' ? 'the id of the key is missing' : `${what} takes no id`,
      'see the keys with `outpool key list`',
    )
  switch (what) {
    case 'list':
      list(context, home)
      break
    case 'rotate':
      rotate(home)
      break
    case 'use':
      useSealKey(home, id ?? '', new Date())
      print(`${id ?? ''} seals what is new; older keys still open what they sealed`)
      break
    case 'prune':
      await (await import('./pruneKeys.js')).prune(context, home)
  }
}

/** Throws SealKeyError. */
function list({ json }: CommandContext, home: Home): void {
  const rows = readKeyEntries(home).map((entry, index) => ({
    ...{ id: idOfEntry(entry), since: entry.since, seals: index === 0, until: entry.until ?? null },
  }))
  if (json) printJson(rows)
  else
    for (const { id, since, seals, until } of rows)
      print(
        `${id}  made ${since}${seals ? '  seals what is new' : until === null ? '' : `  sealed until ${until}`}`,
      )
}

/** An embedded engine serves this host alone. Another one may serve more, which have to know a key before it is used. */
function rotate(home: Home): void {
  ensureSealKeys(home)
  const id = addSealKey(home, new Date())
  if (configuredEngine() === null) {
    useSealKey(home, id, new Date())
    print(`${id} seals what is new; older keys still open what they sealed`)
    printNotice(`a running worker uses it within a second; back up ${home.sealKeys}`)
    return
  }
  print(`added ${id}, which does not seal yet`)
  printNotice(
    `copy ${home.sealKeys} to every other host of the fleet, with mode 0600; then run on each: outpool key use ${id}`,
  )
}
