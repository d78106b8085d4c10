"""What everybody is told."""

from bff import Client, env

# As long as the page, and as many calls as it has visitors: no other peer has a shorter time-out or a bound either.
client = Client(base_url=env("BACKEND"), timeout="3s", concurrency=1024)
