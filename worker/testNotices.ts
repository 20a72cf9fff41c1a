/** `outpool notices test`: one message through each configured channel, sent as a real notice is. */
import { tryChannels } from '../activities/notices.js'
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { Host } from '../host/host.js'
import type { Notice } from '../policy/notices/notice.js'

interface TestedChannel {
  channel: string
  sent: boolean
  /** Why it was not sent, without the address of the channel; null if it was. */
  why: string | null
}

/** Prints what became of each message. False if one was not sent, or if no channel is configured. */
export async function testNotices(home: Home, config: Config, json: boolean): Promise<boolean> {
  const channels = config.notices.to.map(({ name }) => name)
  const at = new Date().toISOString()
  const notice: Notice = {
    ...{ id: `test/${at}`, kind: 'test', title: 'a test of your notices', at },
    text: `Sent by \`outpool notices test\` on ${home.hostId}. Nothing is wrong, and there is nothing to do.`,
  }
  const { failed } = await tryChannels(new Host(home, config), { notice, channels })
  const tested = channels.map((channel): TestedChannel => {
    const why = failed.find((one) => one.channel === channel)?.why ?? null
    return { channel, sent: why === null, why }
  })
  if (json) console.log(JSON.stringify(tested, null, 2))
  else for (const { channel, why } of tested) console.log(`${channel}: ${why ?? 'sent'}`)
  if (channels.length === 0)
    console.error(
      'outpool: no notice is configured, so no person is ever notified\n  -> name a channel under notices.to in outpool.yaml',
    )
  return channels.length > 0 && failed.length === 0
}
