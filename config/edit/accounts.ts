/** Edits the accounts of an `outpool.yaml`. Each function returns the new text of the file, which is valid if the old one was. */
import { type Document, isMap, isSeq, type YAMLMap } from 'yaml'
import { ConfigEditError } from '../errors.js'
import { editYaml } from './editYaml.js'

interface NewAccount {
  name: string
  /** As it is to stand in the file. */
  configDir: string
  /** Such as `80%`; null leaves the default. */
  ceiling: string | null
  maxSessions: number | null
}

type AccountList = 'pool' | 'reserved'
const pathOf = { pool: ['pool', 'accounts'], reserved: ['reserved'] } as const

export const addAccount = (text: string, { name, configDir, ...limits }: NewAccount, list: AccountList) =>
  editYaml(text, (document) => {
    const set = Object.entries(limits).filter(([, value]) => value !== null)
    const before = document.getIn(pathOf[list])
    const first = isSeq(before) ? before.items[0] : undefined
    const flow = !isMap(first) || first.flow === true
    const added = document.createNode({ name, configDir, ...Object.fromEntries(set) }, { flow })
    if (isSeq(before) && before.items.length > 0) before.add(added)
    else document.setIn(pathOf[list], document.createNode([added]))
  })

/** A fallback that runs on a key of the environment. `key`: the variable's name. */
export const addSubstrate = (
  text: string,
  { name, model, key }: { name: string; model: string; key: string },
): string =>
  editYaml(text, (document) => {
    const before = document.getIn(['substrates'])
    const added = document.createNode({ name, model, env: { ANTHROPIC_API_KEY: { fromEnv: key } } })
    const env = added.get('env')
    if (isMap(env)) env.flow = true
    if (isSeq(before) && before.items.length > 0) before.add(added)
    else document.setIn(['substrates'], document.createNode([added]))
  })

/** Throws ConfigEditError if there is no such account, or if it is the only one of the pool. */
export const removeAccount = (text: string, name: string): string =>
  editYaml(text, (document) => {
    const { list, index, count } = find(document, name)
    if (count > 1) document.deleteIn([...pathOf[list], index])
    else if (list === 'reserved') document.deleteIn(pathOf.reserved)
    else
      throw new ConfigEditError(
        `${name} is the only account of the pool`,
        'add another one first: outpool accounts add NAME',
      )
  })

/** Throws ConfigEditError if the pool has no such account. */
export const drainAccount = (text: string, name: string): string =>
  editYaml(text, (document) => {
    const { list, entry } = find(document, name)
    if (list === 'reserved')
      throw new ConfigEditError(
        `${name} is reserved for the healer, and no session is on it`,
        `remove it with: outpool accounts remove ${name}`,
      )
    entry.set('drain', true)
  })

/** Puts an account back to use that is drained, or that has room for no session. Throws ConfigEditError if there is no such account. */
export const enableAccount = (text: string, name: string): string =>
  editYaml(text, (document) => {
    const { entry } = find(document, name)
    entry.delete('drain')
    if (entry.get('maxSessions') === 0) entry.delete('maxSessions')
  })

interface FoundAccount {
  list: AccountList
  index: number
  /** How many accounts the list has. */
  count: number
  entry: YAMLMap
}

function find(document: Document, name: string): FoundAccount {
  const all: string[] = []
  for (const list of ['pool', 'reserved'] as const) {
    const accounts = document.getIn(pathOf[list])
    const items = isSeq(accounts) ? accounts.items.filter(isMap) : []
    const index = items.findIndex((entry) => entry.get('name') === name)
    const entry = items[index]
    if (entry !== undefined) return { list, index, count: items.length, entry }
    all.push(...items.map((one) => String(one.get('name'))))
  }
  throw new ConfigEditError(`there is no account ${name}`, `accounts: ${all.join(', ')}`)
}
