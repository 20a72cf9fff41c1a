/** Guarded services: what would keep them from being started, guarded or healed, and what of them stands badly now. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config, ServiceConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readIncidents, readLastCheck } from '../../config/state/serviceFiles.js'
import { type Finding, fail, ok, warn } from './finding.js'

export function checkServices(home: Home, config: Config): Finding[] {
  const canBeWoken = config.reserved.length + config.reservedSubstrates.length > 0
  return config.services.flatMap((service) => {
    const findings = [
      ...checkFolders(service),
      ...checkBeat(service),
      ...checkWakeUp(service, canBeWoken),
      ...checkState(home, service),
    ]
    return findings.length > 0 ? findings : [ok(nameOf(service), describeState(home, service))]
  })
}

const nameOf = ({ name }: ServiceConfig): string => `service ${name}`

function checkFolders(service: ServiceConfig): Finding[] {
  const { cwd, heartbeat } = service
  const findings: Finding[] = []
  if (!isFolder(cwd))
    findings.push(
      fail(nameOf(service), `its folder ${cwd} is not there`, `mkdir -p ${cwd}, or correct its cwd`),
    )
  const folder = heartbeat === null ? cwd : dirname(heartbeat.file)
  if (folder !== cwd && !isFolder(folder))
    findings.push(
      fail(nameOf(service), `the folder of its heartbeat, ${folder}, is not there`, `mkdir -p ${folder}`),
    )
  return findings
}

function checkBeat(service: ServiceConfig): Finding[] {
  if (service.heartbeat === null)
    return [
      warn(
        nameOf(service),
        'it has no heartbeat: that it hangs or spins cannot be seen, only that it is gone',
        'Let it beat (`outpool beat`, or outpool/beat), and name the file under heartbeat.',
      ),
    ]
  if (!service.heartbeat.anyone) return []
  return [
    warn(
      nameOf(service),
      'whoever touches its heartbeat file proves that it lives (anyone: true)',
      'Let the service write the beat itself (`outpool beat`, or outpool/beat), and take `anyone` out.',
    ),
  ]
}

function checkWakeUp(service: ServiceConfig, canBeWoken: boolean): Finding[] {
  const { wakeUp } = service
  if (wakeUp === null) return []
  const findings: Finding[] = []
  if (!canBeWoken)
    findings.push(
      warn(
        nameOf(service),
        'it has a wakeUp, but the healer has nobody to wake: a person will be told',
        'Name an account under reserved, or a substrate under reservedSubstrates.',
      ),
    )
  if (typeof wakeUp.prompt !== 'string' && !existsSync(wakeUp.prompt.file))
    findings.push(
      fail(
        nameOf(service),
        `its wake-up prompt ${wakeUp.prompt.file} is not there`,
        'Write it, or correct its path.',
      ),
    )
  if (!isFolder(wakeUp.cwd))
    findings.push(
      fail(
        nameOf(service),
        `the folder of its wake-up, ${wakeUp.cwd}, is not there`,
        'Correct the cwd of wakeUp.',
      ),
    )
  return findings
}

function checkState(home: Home, service: ServiceConfig): Finding[] {
  const open = readIncidents(home).findLast((one) => one.service === service.name && one.closedAt === null)
  if (open !== undefined)
    return [
      warn(
        nameOf(service),
        `incident ${open.n} is open since ${open.openedAt}`,
        `outpool incidents show ${open.n}`,
      ),
    ]
  const look = readLastCheck(home, service.name)
  return look?.verdict === 'blind'
    ? [warn(nameOf(service), look.why, 'Nothing is done about it while this lasts: mend what is in the way.')]
    : []
}

function describeState(home: Home, { name }: ServiceConfig): string {
  const look = readLastCheck(home, name)
  return look === null ? 'not looked at yet' : `${look.verdict} at ${look.at}: ${look.why}`
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
