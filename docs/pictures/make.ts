/**
 * `npm run pictures`: runs a small fleet on real parts and captures Temporal's Web UI in headless Chromium.
 * The pictures are saved beside this file. CHROMIUM names the browser if it is not /usr/bin/chromium. On Debian, root gets the browser and
 * Prometheus installed.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCodecServer } from '../../client/ui/codecServer.js'
import { SealingCodec } from '../../config/seal/codec.js'
import { readSealKeys } from '../../config/seal/keys.js'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { until } from '../../lab/until.js'
import { startFleet } from '../../lab/fleet.js'
import { hasProgram, Prometheus } from '../../lab/prometheus.js'
import { Browser, hasBrowser } from '../../lab/browser.js'
import { dashboardPage } from './dashboard.js'
import { playDay, rescued } from './day.js'

const folder = dirname(fileURLToPath(import.meta.url))
const alerts = fileURLToPath(new URL('../../deploy/grafana/alerts.yaml', import.meta.url))

/** In the summary of a step that every rescue has. */
const carried = 'carry the conversation'

const columns = [
  ...['Status', 'Workflow ID', 'OutpoolPhase', 'OutpoolAccount', 'OutpoolRescues'],
  ...['OutpoolWalledUntil', 'OutpoolAttention', 'Start'],
]

async function main(): Promise<void> {
  if (!(await hasBrowser()) || !(await hasProgram('prometheus')))
    throw new Error('install chromium and prometheus')
  const fleet = await startFleet({
    accounts: ['max-1', 'max-2', 'max-3'],
    config: { metrics: { listen: '127.0.0.1:0' } },
  })
  try {
    await fleet.up('--ui')
    const [, address = ''] = /metrics at http:\/\/([^/]+)/.exec(fleet.log()) ?? []
    const began = Date.now()
    const prometheus = await Prometheus.start(join(fleet.dir, 'prometheus'), address, alerts)
    await playDay(fleet)
    const dashboard = join(fleet.dir, 'dashboard.html')
    writeFileSync(dashboard, await dashboardPage(prometheus, began, Date.now()))
    await prometheus.stop()
    const report = join(fleet.dir, 'report.html')
    const { code, stderr } = await fleet.run('report', '--html', report)
    if (code !== 0) throw new Error(`the report could not be written: ${stderr}`)
    const home = openHome(fleet.env)
    const engine = readEngine(home)
    if (!engine?.uiUrl) throw new Error('the engine has no Web UI')
    const { uiUrl, namespace } = engine
    const codec = await startCodecServer(new SealingCodec(readSealKeys(home), namespace), uiUrl)
    const browser = await Browser.open({ namespace, columns, codec: codec.endpoint })
    try {
      const list = `${uiUrl}/namespaces/${namespace}/workflows`
      const run = await until(
        'the run of the rescued session',
        () => browser.runOf(`${list}/${encodeURIComponent(`session/${rescued}`)}`),
        (found) => found !== null,
      )
      const shots = [
        { name: 'list', url: list, shows: 'parked', height: 480 },
        { name: 'timeline', url: `${run ?? ''}/timeline`, shows: carried, from: 'Timeline', height: 480 },
        { name: 'history', url: `${run ?? ''}/history`, shows: carried, from: 'Event History', height: 620 },
        { name: 'details', url: `${run ?? ''}/user-metadata`, shows: 'conversation', height: 640 },
      ]
      for (const [name, file, height] of [
        ['dashboard', dashboard, 1_222],
        ['report', report, 1_000],
      ] as const) {
        await browser.photographFile(file, { height, file: `${folder}/${name}.png` })
        console.log(`${folder}/${name}.png`)
      }
      for (const { name, ...shot } of shots) {
        await browser.photograph({ ...shot, file: `${folder}/${name}.png` })
        console.log(`${folder}/${name}.png`)
      }
    } finally {
      await browser.close()
      await codec.close()
    }
  } finally {
    await fleet.close()
  }
}

await main()
