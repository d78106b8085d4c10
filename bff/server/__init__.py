"""A WSGI app on threads behind an ASGI server: bodies come in beside the threads, and headers as they were sent.

Threads make pages, a loop waits for visitors. Under its WSGI interface granian empties every header with a byte
outside ASCII, tells a path only decoded, and lets a thread wait for a body without end. Its ASGI interface hands over
bytes, and `bff/server` asks the WSGI app from there: the loop takes a body in, within bounds of time and bytes, and a
thread is asked when it is there. A trivial page takes 0.2 ms of processor either way; a file from memory takes 0.13
ms instead of 0.05. waitress, which takes bodies in as well, takes twice the processor and keeps large ones in files.

An end that comes too early is not an end. Servers differ in what they do when an answer fails in its middle; granian,
for one, ends a chunked answer in order. With a length every server and every browser sees it, so bodies get one, from
the backend or by being held first. Records show it themselves.
"""

from bff.server.bridge import Bridge

__all__ = ["Bridge"]
