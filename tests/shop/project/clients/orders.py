from bff import Client, env

client = Client(base_url=env("ORDERS_URL", default="http://orders.test"), timeout="2s")
