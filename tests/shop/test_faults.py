"""Each page of the shop, with every fault of each of its backends."""

from __future__ import annotations

from bff.testing import fault_matrix
from tests.shop.conftest import PROJECT

test_faults = fault_matrix(PROJECT)
