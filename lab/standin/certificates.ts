/** A certificate authority for tests, and one certificate for the hosts that the agent program insists on. */
import { generate } from 'selfsigned'

const yearFrom = (start: Date): Date => new Date(start.getTime() + 365 * 86_400_000)

/** PEM texts. `authority` is the content for the file that NODE_EXTRA_CA_CERTS names. */
export interface Certificates {
  authority: string
  key: string
  cert: string
}

export async function makeCertificates(hosts: readonly string[]): Promise<Certificates> {
  const notBeforeDate = new Date(Date.now() - 86_400_000)
  const life = {
    notBeforeDate,
    notAfterDate: yearFrom(notBeforeDate),
    keyType: 'ec',
    algorithm: 'sha256',
  } as const
  const authority = await generate([{ name: 'commonName', value: 'Stand-in authority' }], {
    ...life,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const leaf = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    ...life,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2 as const, value })) },
    ],
  })
  return { authority: authority.cert, key: leaf.private, cert: `${leaf.cert}\n${authority.cert}` }
}
