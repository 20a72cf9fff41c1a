/** `tasks:` of `outpool.yaml`: what the loop does, and when. */
import { z } from 'zod'
import {
  withMessage,
  text,
  count,
  list,
  section,
  name,
  duration,
  size,
  path,
  command,
  envValue,
  env,
  prompt,
  cwd,
} from './values.js'

const senderMessage = 'write a mail address, or @ and a domain for all of its addresses'
const imap = section({
  host: text('name the mail server'),
  port: count('write a port number')
    .max(65_535, withMessage('write a port number up to 65535'))
    .optional()
    .describe('Default: 993 with TLS from the start, else 143'),
  tls: z
    .union([z.boolean(), z.literal('starttls')], withMessage('write true, starttls or false'))
    .default(true)
    .describe('From the start, after a plain greeting (starttls), or not at all'),
  ca: path('name a file of certificates')
    .optional()
    .describe('Additional trusted certificates, for your own server'),
  user: text('name the mail user'),
  password: envValue,
  mailbox: text('name a mailbox').default('INBOX'),
  from: list(
    text(senderMessage).regex(/^[^@\s]*@[^@\s]+$/, withMessage(senderMessage)),
    'write a list of senders',
  )
    .default([])
    .describe('Only mail of these senders; any other is left unread'),
  since: duration()
    .prefault('7d')
    .describe('Unread mail that was older than this when the task first ran is left alone'),
  maxMails: count('write a number of mails, 1 or more').default(20).describe('Mails delivered in one run'),
  maxTextSize: size.prefault('64K').describe("How much of a mail's text is delivered"),
})

const taskCommand = section({ run: command, cwd: cwd.optional(), env })
const deliverToMessage = 'name a session, or write { run: [PROGRAM, ARGUMENT] }'

export const task = section({
  name,
  every: duration().describe('How often it runs'),
  imap: imap.optional().describe('Polls a mailbox'),
  deliverTo: z
    .union([name, taskCommand], withMessage(deliverToMessage))
    .optional()
    .describe('The session that gets the mail, or a command that reads it as JSON from its standard input'),
  agent: name.optional().describe('Autonomous work by an agent session'),
  model: text('name a model of this agent').optional(),
  prompt: prompt.optional(),
  run: command.optional().describe('Runs a program'),
  cwd: cwd.optional(),
  env,
  timeout: duration()
    .optional()
    .describe('A run that takes longer is ended. Default: 1h for run, 1d for agent, 10m for imap'),
  catchUp: duration()
    .prefault('10m')
    .describe('A run that was missed for longer than this, because the machine slept, is skipped'),
  keep: count('write a number of results, 1 or more')
    .default(20)
    .describe('How many outputs and answers are kept'),
  maxOutputSize: size.prefault('1M').describe("How much of the end of a run's output is kept"),
  attentionAfter: count('write a number of runs, 1 or more')
    .default(3)
    .describe('After so many failures in a row, a person is asked to look'),
})
