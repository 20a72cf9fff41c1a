/** Whether the panes run in their own scope, or in a unit that ends them when it ends. */
import { readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { guideUrl } from '../../config/guide.js'
import type { Home } from '../../config/state/home.js'
import { type Finding, ok, warn } from './finding.js'

const answerWithin = 10_000

/** No finding if no tmux server of this home runs, or if the system has no control groups. */
export async function checkPanes(home: Home): Promise<Finding[]> {
  const { stdout } = await execa('tmux', ['-N', '-S', home.tmuxSocket, 'list-sessions', '-F', '#{pid}'], {
    ...{ reject: false, timeout: answerWithin, stdin: 'ignore' },
  })
  const [pid = ''] = stdout.split('\n')
  const groups = pid === '' ? null : await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => null)
  return groups === null ? [] : panesIn(groups)
}

/** `groups`: what /proc says of the tmux server's control groups. */
export function panesIn(groups: string): Finding[] {
  const unit = unitOf(groups)
  if (unit === null) return []
  if (!unit.endsWith('.service')) return [ok('panes', `run in ${unit}`)]
  return [
    warn(
      'panes',
      `run in ${unit} itself, and end if that unit is ended or limited as a whole`,
      `A stop or restart of outpool.service does not end them. To give them their own scope, see ${guideUrl('running-as-a-service.md')}`,
    ),
  ]
}

/** The last unit on the path, by systemd's own hierarchy or the only one there is. */
function unitOf(groups: string): string | null {
  const path = /^(?:0:|\d+:name=systemd):(\/.+)$/m.exec(groups)?.[1] ?? ''
  return path.split('/').findLast((part) => /\.(service|scope)$/.test(part)) ?? null
}
