"""What an expression gives, told from the types of the names that it reads, before anything runs.

No value falls outside its type. What nothing enforces is read twice: once as expected, once as unknown; where both
agree, it does not matter. Nothing here is loaded by an app that answers pages.
"""
