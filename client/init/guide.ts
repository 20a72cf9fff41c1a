/** The questions of `outpool init` on a terminal. Loaded only there, with the library of prompts. */
import { cancel, confirm, intro, isCancel, log, multiselect, note, outro, select } from '@clack/prompts'
import { FailedError } from '../errors.js'
import type { FoundLogin } from './findLogins.js'
import { oneLine } from '../output/terminal.js'
import { type Choices, fallbackModel } from './choices.js'
import { shownPath } from './file.js'

export interface Found {
  /** Logins that the file lacks. */
  logins: readonly FoundLogin[]
  /** Names of variables that look like keys. */
  keys: readonly string[]
  /** What an existing file has already. */
  has: { accounts: boolean; reserved: boolean; substrates: boolean }
  /** The person's home. */
  home: string
}

/** Thrown when a person ends the questions with Ctrl-C or Escape. */
class GivenUpError extends FailedError {
  constructor() {
    super('ended before anything was written', 'run `outpool init` again whenever you like')
  }
}

const none = 'none'

/** Throws GivenUpError. Nothing is written here. */
export async function askChoices({ logins, keys, has, home }: Found): Promise<Choices> {
  intro('outpool: the accounts that your sessions run on')
  const pool = await askPool(logins, has.accounts, home)
  const own = pool.length === 0 ? null : await askOwn(pool)
  const left = logins.filter((login) => !pool.includes(login))
  const reserved = has.reserved ? null : await askReserved(left, home)
  return {
    pool: pool.map((login) => ({ login, ceiling: login === own?.login ? own.ceiling : null })),
    reserved: reserved === null ? [] : [reserved],
    keys: has.substrates || keys.length === 0 ? [] : await askKeys(keys),
  }
}

async function askPool(logins: readonly FoundLogin[], hasSome: boolean, home: string): Promise<FoundLogin[]> {
  if (logins.length === 0) return []
  const chosen = answered(
    await multiselect({
      message: hasSome
        ? 'Which of these logins shall be added to the pool?'
        : 'Which logins may sessions use? (space chooses, enter goes on)',
      options: logins.map((login) => option(login, home)),
      initialValues: logins.filter(({ isDefault, forHealer }) => !isDefault && !forHealer),
      required: !hasSome,
    }),
  )
  // In the order in which they were offered, and not in that of the keys.
  return logins.filter((login) => chosen.includes(login))
}

async function askOwn(pool: readonly FoundLogin[]): Promise<{ login: FoundLogin; ceiling: string } | null> {
  const login = answered(
    await select<FoundLogin | typeof none>({
      message: 'Do you use one of them yourself? Then a part of its budget is left to you.',
      options: [{ value: none, label: 'no' }, ...pool.map((one) => ({ value: one, label: one.name }))],
      initialValue: pool.find(({ isDefault }) => isDefault) ?? none,
    }),
  )
  if (login === none) return null
  const ceiling = answered(
    await select({
      message: `How much of ${login.name} may sessions use?`,
      options: ['80%', '60%', '40%'].map((value) => ({ value, label: value })),
    }),
  )
  return { login, ceiling }
}

async function askReserved(left: readonly FoundLogin[], home: string): Promise<FoundLogin | null> {
  const chosen =
    left.length === 0
      ? none
      : answered(
          await select<FoundLogin | typeof none>({
            message: "Which login is the healer's reserve? No session uses it.",
            options: [...left.map((login) => option(login, home)), { value: none, label: 'none' }],
            initialValue: left.find(({ forHealer }) => forHealer) ?? none,
          }),
        )
  if (chosen !== none) return chosen
  note(
    'Sessions are moved, parked and resumed without one: that needs no model.\nWhat is lost: when restarts do not help a service that Outpool guards, no agent\nis woken to mend it, and you are notified instead. Add one later with\noutpool accounts add medic --reserved',
    'No reserve for the healer',
  )
  return null
}

const askKeys = async (keys: readonly string[]): Promise<string[]> =>
  answered(
    await multiselect({
      message: `Where shall sessions go on when every login is spent? Each key runs ${fallbackModel}, and costs money. (enter: nowhere, they wait)`,
      options: keys.map((key) => ({ value: key, label: key, hint: 'from your environment; not read' })),
      required: false,
    }),
  )

const option = (login: FoundLogin, home: string) => ({
  value: login,
  label: login.name,
  hint: `${oneLine(shownPath(login.dir, home))}${login.isDefault ? ', your own login' : ''}`,
})

/** False if the person says no; a first answer is yes. */
export const askYes = async (message: string): Promise<boolean> =>
  answered(await confirm({ message, initialValue: true }))

/** What was done, in a line. */
export const say = (text: string): void => log.success(text)

/** What was asked for and could not be done, with what to do about it. */
export const warn = (text: string): void => log.warn(text)

/** What to type next. `isWell`: whether nothing has to be mended first. */
export function end(lines: readonly string[], isWell: boolean): void {
  note(lines.join('\n'), 'What to type next')
  outro(isWell ? 'Ready.' : 'Written. First mend what the doctor found.')
}

/** What the library answers instead when a person gives up. */
type GivenUp = Exclude<Awaited<ReturnType<typeof confirm>>, boolean>

function answered<T>(answer: T | GivenUp): T {
  if (!isCancel(answer)) return answer
  cancel('Ended before anything more was written.')
  throw new GivenUpError()
}
