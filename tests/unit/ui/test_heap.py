"""What is loaded is left out of later garbage collections, and what comes after is still collected."""

import gc
import weakref

from ui.heap import THRESHOLD, settle


class Ring:
    """Something that only a collection can take away."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_loaded_is_left_out_and_what_comes_after_is_collected() -> None:
    before = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] == THRESHOLD
        seen = weakref.ref(Ring())
        gc.collect()
        assert seen() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
