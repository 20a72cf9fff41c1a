/** Gives a session up: its process goes on in its pane, and no step of Outpool ends or types into it any more. */
import { adopterOf } from '../../agents/index.js'
import type { Host } from '../../host/host.js'
import { shellWord } from '../../policy/shellWord.js'
import type { ReleaseRequest, ReleaseResult } from './contracts.js'

export async function releaseAgent(host: Host, request: ReleaseRequest): Promise<ReleaseResult> {
  const { session, fence } = request
  return host.records.runExclusive(session, async () => {
    const process = host.records.newest(session)?.process ?? host.records.released(session)
    host.records.saveRelease(session, fence, process)
    const tmuxSession = await host.tmux.release(session)
    return { tmuxSession, tmuxSocket: host.tmux.socket, resume: resumeLine(host, request) }
  })
}

/** What a person types to resume the conversation. */
function resumeLine(host: Host, { session, agent, place, sessionId, cwd, model }: ReleaseRequest): string {
  const adopter = adopterOf(agent)
  if (adopter === null) return ''
  const adopted = host.adoptions.of(session)
  const { command, args } = host.config.agents[agent] ?? { command: agent, args: [] }
  const known = host.knownPlace(place)
  const words = [
    ...(known === null ? [] : adopter.selectConfigDir(known.configDir)),
    ...adopter.resumeCommand([command], {
      ...{ sessionId, model },
      args: adopter.publicArguments(adopted?.args ?? args),
    }),
  ]
  return `cd ${shellWord(cwd)} && ${words.map(shellWord).join(' ')}`
}
