/** Checks of a service that the schema cannot express: one way to start or find it, and one kind of busy check. */
import { z } from 'zod'
import type { UnlocatedIssue, Path } from '../load/positions.js'

const anything = z.unknown()
const lenient = <S extends z.ZodRawShape>(shape: S) => z.object(shape).partial().optional().catch(undefined)

export const lenientService = lenient({
  name: z.string().optional().catch(undefined),
  ...{ run: anything, pidFile: anything, unit: anything, pane: anything },
  busyCheck: lenient({ files: anything, run: anything }),
  wakeUp: lenient({ agent: z.string().optional().catch(undefined), env: anything }),
})
type LenientService = NonNullable<z.output<typeof lenientService>>

const locatorKeys = ['pidFile', 'unit', 'pane'] as const

export function checkService(service: LenientService, path: Path): UnlocatedIssue[] {
  const named = service.name ?? 'this service'
  const findings: UnlocatedIssue[] = []
  const found = locatorKeys.filter((place) => service[place] !== undefined)
  const [first, second] = found
  if (first === undefined && service.run === undefined)
    findings.push({
      ...{ path: [...path, 'run'], at: 'value', problem: `${named} can neither be started nor found` },
      remedy: 'add run, or say where its process is found with pidFile, unit or pane',
    })
  if (first !== undefined && second !== undefined)
    findings.push({
      ...{ path: [...path, second], at: 'key', problem: `${named} has ${first} and ${second} at once` },
      remedy: 'keep only one of pidFile, unit and pane',
    })
  const { busyCheck } = service
  if (busyCheck !== undefined && (busyCheck.files === undefined) === (busyCheck.run === undefined))
    findings.push({
      ...{ path: [...path, 'busyCheck'], at: 'value' },
      problem: `the busyCheck of ${named} has ${busyCheck.run === undefined ? 'neither files nor run' : 'files and run at once'}`,
      remedy: 'give it either files that grow while the service works, or a command that exits with 0 then',
    })
  return findings
}
