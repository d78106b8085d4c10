"""What few calls need, each in a file of its own, around every try of a call: bounds, breaker, hedge, store, retry.

Those that its client and step declare are chosen when the step is bound (`layers_of` in `bff/http/tries.py`). All have
the shape that `layer.py` gives them, and none knows another.
"""
