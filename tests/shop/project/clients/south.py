from bff import Client, env

client = Client(base_url=env("SOUTH_URL", default="http://south.test"), timeout="1s")
