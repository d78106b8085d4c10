from bff import Client, env

client = Client(base_url=env("NORTH_URL", default="http://north.test"), timeout="1s")
