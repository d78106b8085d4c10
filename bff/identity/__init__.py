"""Who asks: the encrypted session cookie, Bearer tokens checked against a JWKS, and where a request comes from.

Nothing here is kept between requests but the public keys of the JWKS, which may vanish at any time.

A session is the visitor's to carry. `bff/identity/` knows no Flask: the sealed cookie (Fernet, from `cryptography`;
no cryptography of ours), the checked Bearer token, and the rule for requests of other sites are functions of text and
time. `bff/web/identity.py` applies them to requests. A visitor is a value: `user` is what expressions see, tokens are
what only clients see, `mark` is a keyed hash that tells visitors apart in caches. A session dies with its shortest
token, because some backends answer a dead token with an empty list. A process remembers the last thousand cookies
that it opened, and judges their time on every request: only the cryptography is spared.

Own writes are a time in the visitor's cookie. No instance has to hear of a write: each takes what was asked for
before that time for too old, for this visitor. When a kept reply was asked for is the earlier of two times, by the
clock as it was then and by the clock as it is now, so that one that jumps hides no write. The cookie is not the
session's, so that a late write cannot sign anybody in again, and it is set outside of what is remembered for repeats,
which never hold a cookie. What is in it can make a page slower, and nothing else.

A token has no name. It cannot be written in an expression, so it cannot reach a page, and `check` follows what a
`session` takes it from. What it had a part in is private all the way to the browser's cache.
"""

from bff.identity.session import Session, SessionSeal, SessionTooLarge
from bff.identity.visitor import ANYBODY, Visitor

__all__ = ["ANYBODY", "Session", "SessionSeal", "SessionTooLarge", "Visitor"]
