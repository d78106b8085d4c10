// What the pages of all peers in Node are made of: joins, written by hand, and who is signed in.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export const { BACKEND, PORT } = process.env
export const SAME_WORK = process.env.WORK === 'same'
export const USER = 'person-007'
export const DEADLINE = 3000
export const NOTICE_TIME_OUT = 100

const SESSION_TTL = 8 * 3600
const key = Buffer.from(process.env.SESSION_KEY, 'base64url')

// A session as the value of a cookie: AES-256-GCM, so encrypted and authenticated.
export function seal(user) {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const plain = JSON.stringify({ user, expires: Math.floor(Date.now() / 1000) + SESSION_TTL })
  const sealed = [cipher.update(plain, 'utf8'), cipher.final()]
  return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url')
}

// Who is signed in, from the Cookie header; undefined where nobody is.
export function opened(header) {
  const value = header && /(?:^|; )session=([\w-]+)/.exec(header)?.[1]
  if (!value) return undefined
  try {
    const bytes = Buffer.from(value, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    const plain = decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
    const session = JSON.parse(plain)
    return session.expires > Date.now() / 1000 ? session.user : undefined
  } catch {
    return undefined
  }
}

export const cookieOf = (user) => `session=${seal(user)}; Path=/; HttpOnly; SameSite=Lax`

// What is asked side by side as soon as it is known who asks.
export const homePaths = (user, me) => [
  `/todos?owner=${user}`,
  `/people?team=${me.team}`,
  `/notices/latest?locale=${me.locale}`,
]

export function home(me, todos, people, notice, status = 'all', limit = 100) {
  const names = new Map(people.map((person) => [person.id, person.name]))
  const shown = todos.filter((todo) => status === 'all' || todo.status === status).slice(0, limit)
  return {
    name: me.name,
    open: countOpen(todos),
    todos: shown.map((todo) => ({
      id: todo.id,
      title: todo.title,
      due: todo.due,
      helper: names.get(todo.helper_id) ?? null,
    })),
    notice: notice.text,
  }
}

export const countOpen = (items) => items.reduce((open, item) => (item.done ? open : open + 1), 0)

export const fan = (replies) => ({ values: replies.map((reply) => reply.value) })

export const size = ({ items }) => ({
  count: items.length,
  open: countOpen(items),
  titles: items.slice(0, 10).map((item) => item.title),
})

export function listed(todos, helpers) {
  const names = new Map(helpers.map((person) => [person.id, person.name]))
  return {
    todos: todos.map((todo) => ({
      id: todo.id,
      title: todo.title,
      helper: names.get(todo.helper_id) ?? null,
    })),
  }
}

export const idsOf = (todos) => [...new Set(todos.map((todo) => todo.helper_id))]

export const batchPath = (ids) => `/people?${new URLSearchParams(ids.map((id) => ['id', id]))}`
