/** Guarded services: what would prevent starting, guarding or healing them, and open problems. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config, ServiceConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readIncidents, readLastCheck } from '../../config/state/serviceFiles.js'
import { isFolder } from '../../host/isFolder.js'
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
      fail(nameOf(service), `its folder ${cwd} does not exist`, `mkdir -p ${cwd}, or correct its cwd`),
    )
  const folder = heartbeat === null ? cwd : dirname(heartbeat.file)
  if (folder !== cwd && !isFolder(folder))
    findings.push(
      fail(nameOf(service), `the folder of its heartbeat, ${folder}, does not exist`, `mkdir -p ${folder}`),
    )
  return findings
}

function checkBeat(service: ServiceConfig): Finding[] {
  if (service.heartbeat === null)
    return [
      warn(
        nameOf(service),
        'it has no heartbeat, so a hang cannot be detected, only the end of its process',
        'Let it write a heartbeat (`outpool beat`, or outpool/beat), and name the file under heartbeat.',
      ),
    ]
  if (!service.heartbeat.anyone) return []
  return [
    warn(
      nameOf(service),
      'any program that touches its heartbeat file counts as its heartbeat (anyone: true)',
      'Let the service write the heartbeat itself (`outpool beat`, or outpool/beat), and remove `anyone`.',
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
        'it has a wakeUp, but the healer has no account for it, so only a person would be notified',
        'Name an account under reserved, or a substrate under reservedSubstrates.',
      ),
    )
  if (typeof wakeUp.prompt !== 'string' && !existsSync(wakeUp.prompt.file))
    findings.push(
      fail(
        nameOf(service),
        `its wake-up prompt ${wakeUp.prompt.file} does not exist`,
        'Write it, or correct its path.',
      ),
    )
  if (!isFolder(wakeUp.cwd))
    findings.push(
      fail(
        nameOf(service),
        `the folder of its wake-up, ${wakeUp.cwd}, does not exist`,
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
  const check = readLastCheck(home, service.name)
  return check?.verdict === 'blind'
    ? [
        warn(
          nameOf(service),
          check.why,
          'The service is not restarted while this lasts: fix what prevents the check.',
        ),
      ]
    : []
}

function describeState(home: Home, { name }: ServiceConfig): string {
  const check = readLastCheck(home, name)
  return check === null ? 'not checked yet' : `${check.verdict} at ${check.at}: ${check.why}`
}
