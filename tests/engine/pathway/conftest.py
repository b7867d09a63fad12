"""What the pathway's tests share."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest


@pytest.fixture
def count_calls():
    """Counts the Python functions called inside a `with`: work that does not depend on the machine."""

    @contextmanager
    def counting():
        counted = SimpleNamespace(calls=0)

        def seen(frame, event, argument):
            if event == "call":
                counted.calls += 1

        before = sys.getprofile()
        sys.setprofile(seen)
        try:
            yield counted
        finally:
            sys.setprofile(before)

    return counting
