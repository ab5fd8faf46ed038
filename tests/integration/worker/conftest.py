"""The same accounts to watch as in the tests of collectors."""

from tests.integration.collectors.conftest import watch

__all__ = ["watch"]
