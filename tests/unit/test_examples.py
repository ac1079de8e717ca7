"""The examples in docstrings are true."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module", ["concierge.wire", "deployment.__main__", "deployment.queues"]
)
def test_the_examples_are_true(module):
    tried = doctest.testmod(importlib.import_module(module))
    assert tried.attempted > tried.failed == 0
