// The backend, over undici's pool; with CLIENT=fetch by Node's own fetch, which needs no package.
import { setMaxListeners } from 'node:events'
import { BACKEND, DEADLINE, NOTICE_TIME_OUT, SAME_WORK } from './pages.mjs'

// The signal that ends the calls of a page at its deadline.
export function deadline() {
  if (!SAME_WORK) return undefined
  const signal = AbortSignal.timeout(DEADLINE)
  setMaxListeners(0, signal)
  return signal
}

export const isLate = (error) => error?.name === 'TimeoutError' || error?.cause?.name === 'TimeoutError'

async function byUndici(origin) {
  const { Pool } = await import('undici')
  const pool = new Pool(origin, { connections: 512, keepAliveTimeout: 75_000 })
  return async (path, signal, headers) => {
    const { statusCode, body } = await pool.request({ method: 'GET', path, signal, headers })
    if (statusCode !== 200) {
      await body.dump()
      throw Object.assign(new Error(`status ${statusCode}`), { upstream: statusCode })
    }
    return body.json()
  }
}

function byFetch() {
  return async (path, signal) => {
    const reply = await fetch(BACKEND + path, { signal })
    if (!reply.ok) throw new Error(`status ${reply.status}`)
    return reply.json()
  }
}

export const ask = process.env.CLIENT === 'fetch' ? byFetch() : await byUndici(BACKEND)

export const askAll = (paths, signal) => Promise.all(paths.map((path) => ask(path, signal)))

// The backend of the notices where that is another one, with a time-out of its own, by the kind of its sickness.
export const sickNotices = await Promise.all(
  Object.entries(process.env)
    .filter(([name]) => name.startsWith('NOTICES_'))
    .map(async ([name, origin]) => {
      const askIt = await byUndici(origin)
      const within = (signal) => {
        const late = AbortSignal.timeout(NOTICE_TIME_OUT)
        return signal ? AbortSignal.any([signal, late]) : late
      }
      return [name.slice('NOTICES_'.length).toLowerCase(), (path, signal) => askIt(path, within(signal))]
    }),
)
