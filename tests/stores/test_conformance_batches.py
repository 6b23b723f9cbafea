"""A batch does what its operations would do one after the other, in the order in which kinds are carried out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from random_batches import batches, everything_in, prepared
from store_kit import StoreFactory

from segue.stores.base import Operation


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=batches())
def test_a_batch_does_what_its_operations_would_do_one_by_one(
    new_database: Callable[[], StoreFactory], caplog: pytest.LogCaptureFixture, operations: list[Operation]
) -> None:
    whole, single = prepared(new_database()()), prepared(new_database()())

    at_once = whole.commit(*operations)
    one_by_one = [answer for operation in operations for answer in single.commit(operation)]

    try:
        assert at_once == one_by_one
        assert everything_in(whole.store) == everything_in(single.store)
        assert caplog.messages == []
    finally:
        whole.store.close()
        single.store.close()
