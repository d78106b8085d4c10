from bff import Client, env, forward_token

client = Client(base_url=env("ACCOUNT_URL"), auth=forward_token("account"), filters={"where"})
