/**
 * The stand-in API: what the real agent program talks to in tests, demonstration and benchmarks. It listens
 * on loopback only, knows only made-up logins, and records every request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type Refusal, StandInAccount } from './account.js'
import { accountEndpoints } from './accountEndpoints.js'
import { type Answer, type Answerer, answererOf, defaultAnswer, messageOf, type Script } from './answers.js'
import { type Fault, resolveFault } from './faults.js'
import { listen, readBody, sendJson } from './http.js'
import { RequestLog } from './log.js'
import { limitFault, notFound, sendCut, sendFault, sendMessage } from './reply.js'
import { describe, parseBody, type RecordedRequest } from './requests.js'
import { hangsAfterMs } from '../until.js'

export interface StandInOptions {
  /** Accounts known from the start; others are created when they are first named. */
  accounts?: string[]
}

type Given = { account: StandInAccount | null; credential: RecordedRequest['credential'] }

export class StandIn {
  /** `http://127.0.0.1:<port>`, for ANTHROPIC_BASE_URL. */
  readonly url: string
  readonly log: RequestLog
  readonly #accounts: Map<string, StandInAccount>
  readonly #server: Server
  readonly #openResponses = new Set<ServerResponse>()
  #answerer: Answerer = defaultAnswer

  constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${port}`
    this.log = new RequestLog()
    this.#accounts = new Map()
  }

  /** The account of this name; created if it does not exist yet. */
  account(name: string): StandInAccount {
    const known = this.#accounts.get(name)
    if (known) return known
    const made = new StandInAccount(name)
    this.#accounts.set(name, made)
    return made
  }

  get accounts(): StandInAccount[] {
    return [...this.#accounts.values()]
  }

  /** The model's answers on every account without separate answers. */
  answer(answer: Answerer | Script | Answer | string | null): this {
    this.#answerer = answererOf(answer) ?? defaultAnswer
    return this
  }

  /** Everything received so far, oldest first. */
  requests(filter: Parameters<RequestLog['find']>[0] = {}): RecordedRequest[] {
    return this.log.find(filter)
  }

  /** The first request that matches, received or still to come. Throws StandInTimeout after `timeoutMs`. */
  waitForRequest(
    fits: (request: RecordedRequest) => boolean,
    timeoutMs = hangsAfterMs,
  ): Promise<RecordedRequest> {
    return this.log.waitFor(fits, timeoutMs)
  }

  /** Ends every hanging request by closing its connection. */
  release(): void {
    for (const response of this.#openResponses) response.destroy()
    this.#openResponses.clear()
  }

  async close(): Promise<void> {
    this.release()
    this.#server.closeAllConnections()
    await new Promise<void>((done) => this.#server.close(() => done()))
  }

  /** Answers one request; the proxy passes on those to the program's fixed hosts. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const text = await readBody(request)
    const { account, credential } = this.#identify(request)
    const sender = { account: account?.name ?? null, credential }
    const record = this.log.add(describe(request, path, parseBody(text), sender))
    response.on('close', () => {
      if (record.outcome === 'pending' || record.outcome === 'hanging') this.log.settle(record, 'aborted')
    })
    const sent = accountEndpoints({ path, text, account, accounts: this.accounts })
    if (sent === 'hang') {
      this.#keepOpen(record, response)
    } else if (sent) {
      this.log.settle(record, sent.status < 400 ? 'answered' : `fault ${sent.status}`)
      sendJson(response, sent.status, sent.body, sent.headers)
    } else if (path === '/') {
      this.log.settle(record, 'answered')
      sendJson(response, 200, {})
    } else if (!path.startsWith('/v1/messages')) {
      this.#refuse(record, response, notFound(path))
    } else if (!account) {
      this.log.settle(record, 'unauthorized')
      sendFault(response, resolveFault(credential === 'api-key' ? 'invalid-api-key' : 'unauthorized'))
    } else {
      await this.#answerMessages(record, account, response)
    }
  }

  async #answerMessages(
    record: RecordedRequest,
    account: StandInAccount,
    response: ServerResponse,
  ): Promise<void> {
    const decision = account.decide(record.kind, record.model, new Date())
    if (decision.kind !== 'answer') {
      this.#applyRefusal(record, response, decision)
      return
    }
    if (record.kind === 'count') {
      this.log.settle(record, 'answered')
      sendJson(response, 200, { input_tokens: JSON.stringify(record.messages).length })
      return
    }
    const answer = await this.#reply(record, account, decision.answerer)
    if (answer.delayMs !== undefined) await wait(answer.delayMs)
    if (response.destroyed) return
    const refusal = account.refusalIn(answer)
    if (refusal) {
      this.#applyRefusal(record, response, refusal)
      return
    }
    const headers = record.credential === 'oauth' ? decision.headers : {}
    sendMessage(response, messageOf(answer, record), { stream: record.stream, headers })
    this.log.settle(record, 'answered')
  }

  async #reply(record: RecordedRequest, account: StandInAccount, own: Answerer | null): Promise<Answer> {
    if (record.kind === 'quota') return { text: 'ok' }
    if (record.kind === 'title') return { text: JSON.stringify({ title: 'A made-up title' }) }
    const said = await (own ?? this.#answerer)({ request: record, turn: record.turn, account: account.name })
    return typeof said === 'string' ? { text: said } : said
  }

  #applyRefusal(record: RecordedRequest, response: ServerResponse, refusal: Refusal): void {
    if (refusal.kind === 'fault') {
      this.#refuse(record, response, resolveFault(refusal.fault))
    } else if (refusal.kind === 'wall') {
      this.log.settle(record, 'walled')
      sendFault(response, limitFault(refusal.headers))
    } else if (refusal.breakage === 'hang') {
      this.#keepOpen(record, response)
    } else {
      this.log.settle(record, 'broken')
      if (refusal.breakage === 'cut') sendCut(response, messageOf({ text: 'Cut' }, record))
      else response.destroy()
    }
  }

  #refuse(record: RecordedRequest, response: ServerResponse, fault: Fault): void {
    this.log.settle(record, `fault ${fault.status}`)
    sendFault(response, fault)
  }

  #keepOpen(record: RecordedRequest, response: ServerResponse): void {
    this.log.settle(record, 'hanging')
    this.#openResponses.add(response)
    response.on('close', () => this.#openResponses.delete(response))
  }

  #identify(request: IncomingMessage): Given {
    const key = request.headers['x-api-key']
    if (typeof key === 'string')
      return { credential: 'api-key', account: this.accounts.find(({ apiKey }) => apiKey === key) ?? null }
    const token = request.headers.authorization?.replace(/^Bearer /, '')
    if (token === undefined) return { credential: 'none', account: null }
    const owner = this.accounts.find((account) => account.token === token && !account.revoked)
    return { credential: 'oauth', account: owner ?? null }
  }
}

/** Starts a stand-in on a free port of 127.0.0.1. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const server = createServer()
  const standIn = new StandIn(server, await listen(server))
  for (const name of options.accounts ?? []) standIn.account(name)
  server.on('request', (request, response) => {
    standIn.handle(request, response).catch((error: unknown) => {
      sendJson(response, 500, { type: 'error', error: { type: 'stand_in_error', message: String(error) } })
    })
  })
  return standIn
}
