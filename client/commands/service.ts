/** `outpool service install|uninstall|status` */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../config/config.js'
import { loadConfig } from '../../config/load/load.js'
import { type CommandContext, printNotice, print } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { systemctl, unitName, verifyUnit } from '../service/systemd.js'
import { type Scope, secretsFile, unitText } from '../service/unit.js'
import { messageOf } from '../../policy/errorFacts.js'

const program = fileURLToPath(new URL('../../worker/main.js', import.meta.url))

export async function service(context: CommandContext): Promise<void> {
  const what = context.argument(0, 'WHAT')
  if (context.flag('user') && context.flag('system'))
    throw new UsageError('both --user and --system are given', 'give only one of them')
  const scope: Scope = context.flag('system') ? 'system' : 'user'
  if (what === 'install') await install(context, scope)
  else if (what === 'uninstall') await uninstall(scope)
  else await status(context, scope)
}

const home = (): string => process.env['HOME'] ?? homedir()

function unitFile(scope: Scope): string {
  if (scope === 'system') return join('/etc/systemd/system', unitName)
  return join(process.env['XDG_CONFIG_HOME'] ?? join(home(), '.config'), 'systemd', 'user', unitName)
}

/** The unit that `install` would write now. */
function renderUnit(scope: Scope, config: Config): string {
  const { env, execPath } = process
  const paths = { node: execPath, program: realpathSync(program), config: config.file, home: home() }
  return unitText({ scope, ...paths, user: userInfo().username, env })
}

async function install(context: CommandContext, scope: Scope): Promise<void> {
  const config = loadConfig({ path: context.config })
  const text = renderUnit(scope, config)
  const problem = await verifyUnit(text, scope)
  if (context.flag('print')) {
    print(text.trimEnd())
    if (problem !== null) printNotice(`systemd-analyze reports: ${problem}`)
    return
  }
  if (problem !== null)
    throw new FailedError(`systemd would refuse the unit: ${problem}`, 'print it with --print')
  const file = unitFile(scope)
  write(file, text)
  print(`wrote ${file}`)
  for (const name of missingSecrets(config))
    printNotice(
      `the service does not have ${name} from your shell: write ${name}=… into ${secretsFile(home())} (mode 600)`,
    )
  for (const args of [['daemon-reload'], ['enable', '--now', unitName]]) {
    const { ok, output } = await systemctl(scope, ...args)
    if (!ok)
      throw new FailedError(
        `the unit is written, but systemctl ${args.join(' ')} failed: ${output}`,
        `on a machine with systemd, run: systemctl --${scope} enable --now outpool`,
      )
  }
  print('outpool runs as a service; see it with: outpool service status')
  if (scope === 'user') printNotice('to keep it running after you log out, run once: loginctl enable-linger')
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } catch (error) {
    const why = messageOf(error)
    throw new FailedError(
      `the unit cannot be written: ${why}`,
      'a system unit needs root; one with --user does not',
      {
        cause: error,
      },
    )
  }
}

/** Leaves all panes running, as any stop of the service does. */
async function uninstall(scope: Scope): Promise<void> {
  const file = unitFile(scope)
  if (!existsSync(file)) throw new FailedError(`there is no ${file}`, null)
  const { ok, output } = await systemctl(scope, 'disable', '--now', unitName)
  if (!ok) printNotice(`systemd did not stop the service: ${output}`)
  rmSync(file)
  await systemctl(scope, 'daemon-reload')
  print(`removed ${file}; panes keep running`)
}

async function status(context: CommandContext, scope: Scope): Promise<void> {
  const file = unitFile(scope)
  if (!existsSync(file))
    throw new FailedError(
      `no service is installed (${file})`,
      `install it: outpool service install --${scope}`,
    )
  const isCurrent = readFileSync(file, 'utf8') === renderUnit(scope, loadConfig({ path: context.config }))
  print(`unit: ${file}${isCurrent ? '' : ' (differs from the one that `service install` would write now)'}`)
  const { ok, output } = await systemctl(scope, 'is-active', unitName)
  print(`systemd: ${output}`)
  if (!ok)
    throw new FailedError('the service is not running', `see its log: journalctl --${scope} -u outpool`)
}

/** Variables from which the configuration takes secrets, and which the service would not have. */
function missingSecrets(config: Config): string[] {
  const given = existsSync(secretsFile(home())) ? readFileSync(secretsFile(home()), 'utf8') : ''
  return [...config.env.secrets].filter(
    (name) => !given.split('\n').some((line) => line.startsWith(`${name}=`)),
  )
}
