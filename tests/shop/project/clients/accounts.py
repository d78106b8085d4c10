"""Where visitors sign in, and their carts: asked before there is a token for the first, with it for the second."""

from bff import Client, env

client = Client(base_url=env("ACCOUNTS_URL", default="http://accounts.test"), timeout="2s")
