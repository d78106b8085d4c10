"""JSON Schemas at work: what fits one, what does not and why, and values without the members that one does not list.

The work grows with the value and not with the ways through a schema: a schema that refers to itself in two branches
has as many ways as there are levels twos to multiply.

Mistakes say what is allowed, worded from the rule of the schema. Neither the words of the schema
library nor those of an exception reach a problem or the log (`traces`): they quote values. The library goes every way
through a schema to list mistakes, so the ways are counted first; whether a value fits it knows in one pass.
"""

from bff.validation.mistakes import MOST_MISTAKES, Mistake, known_parts
from bff.validation.plain import plain_schema
from bff.validation.pruning import prune
from bff.validation.validator import Validator, validator_of

__all__ = ["MOST_MISTAKES", "Mistake", "Validator", "known_parts", "plain_schema", "prune", "validator_of"]
