"""A project's files as a model: YAML with places, keys, recipes within recipes, and all that `check` says of them.

The graph says what waits for what, taint what is one visitor's. A running page needs none of it; it may know the
classes of `model`, which settings and schemas are given in.
"""
