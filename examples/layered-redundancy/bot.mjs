// A bot beside the loop. Like its ancestor it also touches the loop's heartbeat, which must prove nothing.
import { beat } from 'outpool/beat'

console.log(`the bot runs as ${process.pid}`)
setInterval(() => {
  beat('bot', { doing: 'listening' })
  beat('bot', { file: 'loop.beat', doing: 'keeping the heartbeat fresh' })
}, 3_000)
