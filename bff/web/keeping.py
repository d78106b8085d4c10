"""How long and for whom a page may be kept: what its recipe allows, as far as every part of it does."""

from __future__ import annotations

from bff.executor import Results
from bff.plan.model import Plan
from bff.recipe.model import PageCache

NO_STORE = "no-store"


class CacheControl:
    """The Cache-Control of a page's answers: the strictest of the recipe's word and of the replies in them."""

    def __init__(self, plan: Plan) -> None:
        self._reads = plan.recipe.method == "GET"
        self._private = plan.private
        self._cache = plan.recipe.cache

    def of(self, results: Results) -> str:
        """That of one answer."""
        keeping, cache = results.keeping, self._cache
        if not self._reads or results.partial or results.stale or keeping.no_store:
            return NO_STORE
        private = self._private or keeping.private
        if cache is None:
            return "private, no-cache" if private else "no-cache"
        return _of_page_cache(cache, private=private, most=keeping.max_age)


def _of_page_cache(cache: PageCache, *, private: bool, most: float | None) -> str:
    """What a recipe allows, for at most so many seconds; for everybody only where it says so and nothing is private."""
    shared = None if private else cache.shared_max_age
    ages = {"max-age": _at_most(cache.max_age, most), "s-maxage": _at_most(shared, most)}
    # While it is shown once more it is as old as its time and this together.
    left = None if most is None else most - max(age for age in ages.values() if age is not None)
    ages["stale-while-revalidate"] = _at_most(cache.stale_while_revalidate, left)
    scope = "private" if shared is None else "public"
    return ", ".join([scope, *(f"{name}={int(age)}" for name, age in ages.items() if age is not None)])


def _at_most(seconds: float | None, most: float | None) -> float | None:
    return seconds if seconds is None or most is None else max(0.0, min(seconds, most))
