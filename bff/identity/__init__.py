"""Who asks: the encrypted session cookie, Bearer tokens checked against a JWKS, and where a request comes from.

Nothing here is kept between requests but the public keys of the JWKS, which may vanish at any time.
"""

from bff.identity.session import Session, SessionSeal, SessionTooLarge
from bff.identity.visitor import ANYBODY, Visitor

__all__ = ["ANYBODY", "Session", "SessionSeal", "SessionTooLarge", "Visitor"]
