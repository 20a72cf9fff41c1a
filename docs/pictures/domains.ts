/**
 * `npx tsx docs/pictures/domains.ts`: inserts the picture of `outpool doctor --domains` for a usual set-up
 * into the guide.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { emptyDomain } from '../../policy/independence/failureDomains.js'
import { healerMap, type Setup } from '../../policy/independence/healerMap.js'
import { pictureOf } from '../../worker/doctor/domainPicture.js'

const guide = fileURLToPath(new URL('../prove-your-healer.md', import.meta.url))
const [begin, end] = ['<!-- domains: begin, made by docs/pictures/domains.ts -->', '<!-- domains: end -->']

const usual: Setup = {
  ...{ host: 'desk', home: '~/.local/state/outpool' },
  engine: {
    ...{ what: 'embedded', database: '~/.local/state/outpool/temporal.db', isHere: true, isEmbedded: true },
  },
  healer: [emptyDomain('medic', 'reserved account'), emptyDomain('medic-key', 'reserved substrate')],
  pool: [
    ...['max-1', 'max-2'].map((name) => emptyDomain(name, 'pool account')),
    emptyDomain('haiku-key', 'substrate'),
  ],
  agents: { 'claude-code': 'claude' },
}

/** The guide with the picture brought up to date. */
export function withPicture(text: string): string {
  const [before = '', rest = ''] = text.split(begin)
  const after = rest.split(end)[1] ?? ''
  return `${before}${begin}\n\n\`\`\`mermaid\n${pictureOf(healerMap(usual))}\n\`\`\`\n\n${end}${after}`
}

export const readGuide = (): string => readFileSync(guide, 'utf8')

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(guide, withPicture(readGuide()))
