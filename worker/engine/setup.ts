/** What Outpool needs on an engine: its namespace, how long finished sessions stay, and its search attributes. */
import type { Connection } from '@temporalio/client'
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { formatDuration } from '../../config/schema/units.js'
import { searchAttributes } from '../../policy/ids.js'
import { EngineSetupError } from '../errors.js'
import type { Say } from './install.js'
import { lacksNamespace, lacksSearchAttributes, retryTransient } from './retryTransient.js'
import { messageOf } from '../../policy/errorFacts.js'

const { IndexedValueType: kinds } = proto.temporal.api.enums.v1

/** The search attributes of the list view, with Temporal's kind of each, in the words of its command. */
export const attributeKinds = {
  [searchAttributes.phase]: 'Keyword',
  [searchAttributes.account]: 'Keyword',
  [searchAttributes.substrate]: 'Keyword',
  [searchAttributes.host]: 'Keyword',
  [searchAttributes.agent]: 'Keyword',
  [searchAttributes.walledUntil]: 'Datetime',
  [searchAttributes.rescues]: 'Int',
  [searchAttributes.attention]: 'Bool',
} as const

const kindNumbers = {
  Keyword: kinds.INDEXED_VALUE_TYPE_KEYWORD,
  Datetime: kinds.INDEXED_VALUE_TYPE_DATETIME,
  Int: kinds.INDEXED_VALUE_TYPE_INT,
  Bool: kinds.INDEXED_VALUE_TYPE_BOOL,
} as const

const dayMs = 86_400_000

export interface SetUp {
  connection: Connection
  namespace: string
  /** True for the embedded engine, whose retention we set. On a server that the user runs it is only checked. */
  own: boolean
  /** How long finished sessions stay in the history view. Milliseconds. */
  finished: number
  say: Say
}

/** Sets up the engine as Outpool needs it; idempotent. Throws EngineSetupError. */
export async function setUpEngine(setUp: SetUp): Promise<void> {
  await setUpRetention(setUp)
  await setUpSearchAttributes(setUp)
}

/**
 * For a worker on an engine that another `outpool up` sets up. Throws EngineSetupError if it is not set up: every session would fail.
 */
export async function assertSetUp(connection: Connection, namespace: string): Promise<void> {
  const remedy =
    'Run `outpool up` once with the same Temporal settings, which sets it up, or do it by hand:' +
    ['', ...names.map((name) => createCommand(namespace, name))].join('\n  ')
  try {
    await retryTransient(() => untilQueried(connection, namespace), queryTimeout)
  } catch (error) {
    if (lacksSearchAttributes(error))
      throw new EngineSetupError(
        `The namespace ${namespace} was never set up for Outpool: it lacks its search attributes.`,
        remedy,
        { cause: error },
      )
    if (lacksNamespace(error))
      throw new EngineSetupError(
        `The engine has no namespace ${namespace}.`,
        `Name another one with TEMPORAL_NAMESPACE, or create it (\`temporal operator namespace create --namespace ${namespace}\`). ` +
          remedy,
        { cause: error },
      )
    throw error
  }
}

/** Another host may be setting it up; what is still missing after this does not exist. Milliseconds. */
const queryTimeout = 10_000

/** New attributes are listed before they can be used, so that only a query that uses all of them tells. */
async function untilQueried(connection: Connection, namespace: string): Promise<void> {
  const query = names.map((name) => `${name} IS NOT NULL`).join(' OR ')
  await connection.workflowService.countWorkflowExecutions({ namespace, query })
}

async function setUpRetention({ connection, namespace, own, finished, say }: SetUp): Promise<void> {
  const wanted = formatDuration(finished)
  const { workflowService } = connection
  const described = await retryTransient(() => workflowService.describeNamespace({ namespace })).catch(
    (error: unknown) => {
      throw new EngineSetupError(
        `The engine has no namespace ${namespace} that we may use: ${messageOf(error)}`,
        `Make it (\`temporal operator namespace create --namespace ${namespace} --retention ${wanted}\`), or name ` +
          'another one with TEMPORAL_NAMESPACE.',
        { cause: error },
      )
    },
  )
  const kept = tsToMs(described.config?.workflowExecutionRetentionTtl)
  if (kept === finished || (!own && kept > finished)) return
  if (!own) {
    say(
      `Namespace ${namespace} keeps finished sessions for ${round(kept / dayMs)} days only. For ${wanted}: ` +
        `\`temporal operator namespace update --namespace ${namespace} --retention ${wanted}\``,
    )
    return
  }
  await retryTransient(() =>
    workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(finished) },
    }),
  )
}

/**
 * Adds what is missing. A database that exists already gets nothing from the server's own command line, so this is
 * the one way on every engine.
 */
async function setUpSearchAttributes(setUp: SetUp): Promise<void> {
  const { connection, namespace } = setUp
  try {
    await retryTransient(async () => {
      const missing = await missingAttributes(setUp)
      if (missing.length === 0) return
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(
          missing.map((name) => [name, kindNumbers[attributeKinds[name]]]),
        ),
      })
    })
    await retryTransient(() => untilQueried(connection, namespace))
  } catch (error) {
    if (error instanceof EngineSetupError) throw error
    const commands = names.map((name) => `\n  ${createCommand(namespace, name)}`)
    throw new EngineSetupError(
      `The engine does not accept Outpool's search attributes: ${messageOf(error)}`,
      `Add them by hand, as a user with the permission to do so:${commands.join('')}`,
      { cause: error },
    )
  }
}

type AttributeName = keyof typeof attributeKinds
const names = Object.values(searchAttributes)

async function missingAttributes({ connection, namespace }: SetUp): Promise<AttributeName[]> {
  const listed = await connection.operatorService.listSearchAttributes({ namespace })
  const there = new Map(Object.entries(listed.customAttributes))
  for (const name of names) {
    const kind = there.get(name)
    if (kind !== undefined && kind !== kindNumbers[attributeKinds[name]])
      throw new EngineSetupError(
        `The engine has a search attribute ${name} of another kind than ${attributeKinds[name]}.`,
        `Remove it (\`temporal operator search-attribute remove --namespace ${namespace} --name ${name}\`), or use another namespace.`,
      )
  }
  return names.filter((name) => !there.has(name))
}

const createCommand = (namespace: string, name: AttributeName): string =>
  `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${attributeKinds[name]}`

const round = (days: number): number => Math.round(days * 10) / 10
