from bff import ApiKey, Client, env

client = Client(
    base_url=env("STOCK_URL", default="http://stock.test"),
    auth=ApiKey("X-Stock-Key", env("STOCK_KEY", default="key-of-the-stock")),
    timeout="2s",
)
