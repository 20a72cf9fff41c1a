/** The values that the sections of `outpool.yaml` are made of, each with the message that says what would be right. */
import { z } from 'zod'
import { namePattern } from '../../policy/ids.js'
import { durationPattern, parseDuration, parseShare, parseSize, sharePattern, sizePattern } from './units.js'

export const withMessage = (error: string) => ({ error })

export const text = (error: string) => z.string(withMessage(error)).min(1, withMessage(error))
export const count = (error: string) =>
  z.number(withMessage(error)).int(withMessage(error)).positive(withMessage(error))
export const wholeNumber = (error: string) =>
  z.number(withMessage(error)).int(withMessage(error)).nonnegative(withMessage(error))
export const list = <T extends z.ZodType>(item: T, error: string) => z.array(item, withMessage(error))
export const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'write a section of keys' : undefined),
  })

export const name = z
  .string(withMessage('give it a name such as max-1'))
  .regex(namePattern, withMessage('use small letters, digits, - and _ (at most 63, a letter or digit first)'))

const durationMessage = 'write a duration such as 5s, 10m, 3h or 1d'
/** Milliseconds once parsed. */
export const duration = (zero: 'zero allowed' | 'above zero' = 'above zero') =>
  z
    .string(withMessage(durationMessage))
    .regex(durationPattern, withMessage(durationMessage))
    .refine(
      (written) => zero === 'zero allowed' || parseDuration(written) !== 0,
      withMessage(`${durationMessage}, above zero`),
    )
    .transform((written) => parseDuration(written) ?? 0)

const shareMessage = 'write a share such as 80%'
/** 0..1 once parsed. */
export const share = z
  .string(withMessage(shareMessage))
  .regex(sharePattern, withMessage(shareMessage))
  .transform((written) => parseShare(written) ?? 0)

const sizeMessage = 'write a size such as 64K or 1M'
/** Bytes once parsed. */
export const size = z
  .string(withMessage(sizeMessage))
  .regex(sizePattern, withMessage(sizeMessage))
  .transform((written) => parseSize(written) ?? 0)

export const dollarsMessage = 'write an amount of US dollars such as 5 or 0.25'
export const dollars = z.number(withMessage(dollarsMessage)).nonnegative(withMessage(dollarsMessage))

const listenMessage = 'write an address and a port such as 127.0.0.1:9464, or null for none'
const listenPattern = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/
/** An address to listen at once parsed. */
export const listenAddress = z
  .string(withMessage(listenMessage))
  .regex(listenPattern, withMessage(listenMessage))
  .transform((written) => {
    const [, v6, host = v6 ?? '', port] = listenPattern.exec(written) ?? []
    return { host, port: Number(port) }
  })
  .refine(({ port }) => port <= 65_535, withMessage('write a port up to 65535'))

export const path = (error: string) => text(error)

const commandMessage = 'write a list of program and arguments such as [node, bot.js]'
export const command = list(text(commandMessage), commandMessage).min(1, withMessage(commandMessage))

const envValueMessage =
  'write a text (numbers in quotes), or one of { fromEnv: NAME }, { fromFile: PATH }, { fromCommand: [PROGRAM, ARGUMENT] }'
export const envValue = z.union(
  [
    z.string(),
    z.strictObject({ fromEnv: z.string().min(1) }),
    z.strictObject({ fromFile: z.string().min(1) }),
    z.strictObject({ fromCommand: z.array(z.string()).min(1) }),
  ],
  withMessage(envValueMessage),
)
export const env = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, withMessage('use letters, digits and _ in names of variables')),
    envValue,
    withMessage('write variables as NAME: value'),
  )
  .prefault({})
  .describe('Environment of the agent program; secrets by reference, resolved on the host at launch')

const promptMessage = 'write the prompt as a text, or { file: PATH }'
export const prompt = z.union(
  [z.string().min(1), z.strictObject({ file: z.string().min(1) })],
  withMessage(promptMessage),
)

export const cwd = path('name a folder')
