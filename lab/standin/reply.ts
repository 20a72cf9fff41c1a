/** How the stand-in puts answers and refusals of the model on the wire. */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Message, streamEvents, wholeBody } from './answers.js'
import type { Fault } from './faults.js'
import { sendJson } from './http.js'

const eventStream = { 'content-type': 'text/event-stream; charset=utf-8' }

const requestId = (): Record<string, string> => ({ 'request-id': `req_${randomUUID().replaceAll('-', '')}` })

export const limitFault = (headers: Record<string, string>): Fault => ({
  status: 429,
  type: 'rate_limit_error',
  message: "This request would exceed your account's rate limit. Please try again later.",
  headers,
})

export const notFound = (path: string): Fault => ({
  status: 404,
  type: 'not_found_error',
  message: `nothing at ${path}`,
})

export function sendFault(response: ServerResponse, { status, type, message, headers }: Fault): void {
  sendJson(response, status, { type: 'error', error: { type, message } }, { ...requestId(), ...headers })
}

export function sendMessage(
  response: ServerResponse,
  message: Message,
  options: { stream: boolean; headers: Record<string, string> },
): void {
  const headers = { ...requestId(), ...options.headers }
  if (!options.stream) {
    sendJson(response, 200, wholeBody(message), headers)
    return
  }
  response.writeHead(200, { ...headers, ...eventStream })
  for (const event of streamEvents(message)) response.write(event)
  response.end()
}

/** Begins an answer and closes the connection in the middle of it. */
export function sendCut(response: ServerResponse, message: Message): void {
  response.writeHead(200, { ...requestId(), ...eventStream })
  const [first] = streamEvents(message)
  response.write(first, () => response.destroy())
}
