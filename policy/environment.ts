/** Which variables of the worker's environment a program gets that Outpool starts: an allow-list, so that no secret is passed on. */

/** Names of variables; one that ends in `*` stands for all names that begin so. */
const always: readonly string[] = [
  // The user, the machine and the language.
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'HOSTNAME', 'PWD', 'TZ', 'LANG', 'LANGUAGE', 'LC_*'],
  ...['TMPDIR', 'TMP', 'TEMP', 'XDG_*', 'EDITOR', 'VISUAL', 'PAGER', 'BROWSER'],
  ...['TERM', 'TERMINFO', 'TERMINFO_DIRS', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
  // The network: proxies and trusted certificates.
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'NO_PROXY'],
  ...['http_proxy', 'https_proxy', 'all_proxy', 'ftp_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA'],
  ...['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'PIP_CERT', 'AWS_CA_BUNDLE'],
  // Sockets of the user's own helpers. They hold no secret, and lead only to what every program of the user reaches.
  ...['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'GPG_AGENT_INFO', 'GNUPGHOME', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'TMUX_TMPDIR'],
  // Git, without its GIT_CONFIG_KEY_n and GIT_CONFIG_VALUE_n, which may hold tokens.
  ...['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'GIT_EDITOR'],
  ...['GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_TERMINAL_PROMPT', 'GIT_ALLOW_PROTOCOL'],
  ...['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM'],
  // Which set of credentials a tool uses, not the credentials.
  ...['AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'KUBECONFIG'],
  // Where tools of development are.
  ...['JAVA_HOME', 'JDK_HOME', 'GOPATH', 'GOROOT', 'GOBIN', 'GOPROXY', 'CARGO_HOME', 'RUSTUP_HOME'],
  ...['NVM_DIR', 'NVM_BIN', 'VOLTA_HOME', 'FNM_DIR', 'PNPM_HOME', 'BUN_INSTALL', 'DENO_DIR', 'N_PREFIX'],
  ...[
    'PYENV_ROOT',
    'VIRTUAL_ENV',
    'CONDA_PREFIX',
    'CONDA_DEFAULT_ENV',
    'PYTHONPATH',
    'RBENV_ROOT',
    'GEM_HOME',
  ],
  ...['ASDF_DIR', 'ASDF_DATA_DIR', 'MISE_DATA_DIR', 'SDKMAN_DIR', 'ANDROID_HOME', 'ANDROID_SDK_ROOT'],
  ...['NIX_PATH', 'NIX_PROFILES', 'NIX_SSL_CERT_FILE', 'LD_LIBRARY_PATH', 'LIBRARY_PATH', 'PKG_CONFIG_PATH'],
  ...['HOMEBREW_PREFIX', 'HOMEBREW_CELLAR', 'HOMEBREW_REPOSITORY', 'MANPATH', 'INFOPATH', 'WSL_DISTRO_NAME'],
]

export interface EnvironmentRules {
  /** Further names to pass, from the configuration. */
  pass?: readonly string[]
  /** Names that are not passed even if they are on a list: they hold secrets that the configuration refers to. */
  secrets?: ReadonlySet<string>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The variables that every program gets, whatever it is. A place or task adds its own. */
export function passedEnvironment(
  env: Environment,
  { pass = [], secrets = new Set() }: EnvironmentRules = {},
): Record<string, string> {
  const isNamed = namedBy([...always, ...pass])
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isNamed(name) && !secrets.has(name) ? [[name, value] as const] : [],
    ),
  )
}

function namedBy(patterns: readonly string[]): (name: string) => boolean {
  const whole = new Set(patterns)
  const beginnings = patterns.filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1))
  return (name) => whole.has(name) || beginnings.some((beginning) => name.startsWith(beginning))
}
