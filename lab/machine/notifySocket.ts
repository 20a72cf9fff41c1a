/**
 * A real datagram socket on which services report that they are ready and alive, as a service manager opens
 * it.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { until } from '../until.js'

/** Perl is on every Debian, and has the sockets that Node lacks. One line per datagram. */
const listener = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }
`

/**
 * Signs of life are sent by systemd's own program; without it there are none to receive. Debian has it in
 * `systemd`.
 */
export const lacksSystemdNotify = (await execa('systemd-notify', ['--version'], { reject: false })).failed

export interface NotifySocket {
  path: string
  close(): void
}

export async function openNotifySocket(
  path: string,
  heard: (message: string) => void,
): Promise<NotifySocket> {
  const perl = spawn('perl', ['-e', listener, path], { stdio: ['ignore', 'pipe', 'ignore'] })
  createInterface({ input: perl.stdout }).on('line', heard)
  await until(
    'the socket',
    () => Promise.resolve(existsSync(path)),
    (there) => there,
  )
  return { path, close: () => void perl.kill('SIGKILL') }
}
