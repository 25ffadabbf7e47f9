// A client of a switcher by npm atem-connection. It takes the address as arguments, and requests as lines of JSON on its
// input: {"get": ["path.in.state", …]} is answered by a line with the values, {"call": "method", "args": […]} by a line when
// the switcher has acknowledged.
import { createInterface } from 'node:readline'
import { Atem } from 'atem-connection'

const [host, port] = process.argv.slice(2)
const say = (value) => process.stdout.write(JSON.stringify(value ?? null) + '\n')
const atem = new Atem() // its sockets have a thread of their own, so that pictures do not hold up acknowledgements
atem.on('error', (message) => say({ error: String(message) }))
atem.on('connected', () => say({ connected: true }))

const plain = (value) => (typeof value === 'bigint' ? value.toString() : value)
const at = (path) => plain(path.split('.').reduce((value, key) => value?.[key], atem.state)) ?? null

const requests = createInterface({ input: process.stdin })
requests.on('line', async (line) => {
	const request = JSON.parse(line)
	try {
		if (request.get) say(request.get.map(at))
		else if (request.still !== undefined) {
			// a picture of this size in two colours goes there, and comes back
			const picture = Buffer.alloc(request.width * request.height * 4, 0xff)
			for (let i = 0; i < picture.length / 2; i += 4) picture.writeUInt32BE(0x800000ff, i)
			await atem.uploadStill(request.still, picture, 'Two colours', 'by a peer')
			const back = await atem.downloadStill(request.still, 'rgba')
			let worst = 0
			for (let i = 0; i < picture.length; i += 97) worst = Math.max(worst, Math.abs(picture[i] - back[i]))
			say({ size: back.length, worst })
		} else if (request.macro !== undefined) {
			const data = await atem.downloadMacro(request.macro)
			await atem.uploadMacro(request.to, 'Copy', data)
			say({ size: data.length })
		}
		else {
			await atem[request.call](...request.args)
			say({ done: request.call })
		}
	} catch (error) {
		say({ error: String(error) })
	}
})
requests.on('close', async () => {
	await atem.destroy()
	process.exit(0)
})
await atem.connect(host, Number(port))
