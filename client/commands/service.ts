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

const program = fileURLToPath(new URL('../../worker/main.js', import.meta.url))

export async function service(context: CommandContext): Promise<void> {
  const what = context.argument(0, 'WHAT')
  if (context.flag('user') && context.flag('system'))
    throw new UsageError('--user and --system at once', 'choose one')
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

/** As this call would write it. */
function renderUnit(scope: Scope, config: Config): string {
  const { env, execPath } = process
  const paths = { node: execPath, program: realpathSync(program), config: config.file, home: home() }
  return unitText({ scope, ...paths, user: userInfo().username, env })
}

async function install(context: CommandContext, scope: Scope): Promise<void> {
  const config = loadConfig({ path: context.config })
  const text = renderUnit(scope, config)
  const fault = await verifyUnit(text, scope)
  if (context.flag('print')) {
    print(text.trimEnd())
    if (fault !== null) printNotice(`systemd-analyze says of it: ${fault}`)
    return
  }
  if (fault !== null)
    throw new FailedError(`systemd would not take the unit: ${fault}`, 'see it with --print')
  const file = unitFile(scope)
  write(file, text)
  print(`written: ${file}`)
  for (const name of missingSecrets(config))
    printNotice(
      `the service does not have ${name} from your shell: write ${name}=… into ${secretsFile(home())} (mode 600)`,
    )
  for (const args of [['daemon-reload'], ['enable', '--now', unitName]]) {
    const { ok, output: said } = await systemctl(scope, ...args)
    if (!ok)
      throw new FailedError(
        `the unit is written, but systemd did not ${args.join(' ')}: ${said}`,
        `where systemd runs: systemctl --${scope} enable --now outpool`,
      )
  }
  print('outpool runs as a service; see it with: outpool service status')
  if (scope === 'user') printNotice('for it to live on when you log out, once: loginctl enable-linger')
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new FailedError(
      `the unit cannot be written: ${why}`,
      'a system unit needs root; --user needs no rights',
      {
        cause: error,
      },
    )
  }
}

/** Panes are left alone by this, as by any stop of the service. */
async function uninstall(scope: Scope): Promise<void> {
  const file = unitFile(scope)
  if (!existsSync(file)) throw new FailedError(`there is no ${file}`, null)
  const { ok, output: said } = await systemctl(scope, 'disable', '--now', unitName)
  if (!ok) printNotice(`systemd did not stop it: ${said}`)
  rmSync(file)
  await systemctl(scope, 'daemon-reload')
  print(`removed: ${file}; panes are left as they are`)
}

async function status(context: CommandContext, scope: Scope): Promise<void> {
  const file = unitFile(scope)
  if (!existsSync(file))
    throw new FailedError(
      `no service is installed (${file})`,
      `install it: outpool service install --${scope}`,
    )
  const isCurrent = readFileSync(file, 'utf8') === renderUnit(scope, loadConfig({ path: context.config }))
  print(`unit: ${file}${isCurrent ? '' : ' (another than `service install` would write now)'}`)
  const { ok, output: said } = await systemctl(scope, 'is-active', unitName)
  print(`systemd: ${said}`)
  if (!ok)
    throw new FailedError('the service is not running', `its own words: journalctl --${scope} -u outpool`)
}

/** Variables that the configuration takes secrets from, which a service starts without. */
function missingSecrets(config: Config): string[] {
  const given = existsSync(secretsFile(home())) ? readFileSync(secretsFile(home()), 'utf8') : ''
  const names = new Set<string>()
  JSON.stringify(config, (key, value: unknown) => {
    if (key === 'fromEnv' && typeof value === 'string') names.add(value)
    return value
  })
  return [...names].filter((name) => !given.split('\n').some((line) => line.startsWith(`${name}=`)))
}
