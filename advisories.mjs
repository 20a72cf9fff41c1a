// Checks that no package that Outpool is delivered with has a known vulnerability, where a registry answers. Not every registry does,
// and a machine may have no network: then it says on one line that nothing was checked, and fails nothing.
import { execFile } from 'node:child_process'

/** One try of a few seconds: the person who waits for the check can't do anything about a registry. */
const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=10000']

/** npm exits with 1 both for what it found and for a registry that did not answer; only its report tells which. */
const report = await new Promise((resolve) => {
  execFile('npm', args, { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
    try {
      resolve(JSON.parse(stdout))
    } catch {
      resolve({ message: error?.message.split('\n', 1)[0] ?? 'npm audit printed no report' })
    }
  })
})

const { vulnerabilities, message } = report
if (vulnerabilities === undefined) {
  console.error(`advisories were not checked: ${message ?? 'the registry gave no answer'}`)
} else {
  const found = Object.values(vulnerabilities).map(({ name, severity, range, via }) => {
    const titles = via.flatMap((cause) =>
      typeof cause === 'string' ? [] : [`${cause.title} (${cause.url})`],
    )
    return `  ${name} ${range}: ${severity}${titles.length === 0 ? '' : `: ${titles.join('; ')}`}`
  })
  if (found.length > 0) {
    console.error(
      `These packages have known vulnerabilities:\n${found.join('\n')}\n` +
        'Take a version without them (`npm audit` names it), or another package.',
    )
    process.exitCode = 1
  }
}
