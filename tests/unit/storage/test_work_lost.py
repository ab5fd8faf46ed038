"""What a stop loses, in words that say how old what is known of checkpoints is."""

import pytest

from domain.findings.situation import Checkpoint
from storage.views.targets import work_lost
from tests.situations import NOW, SAVES, ago, live, seen


@pytest.mark.parametrize(
    ("checkpoint", "words"),
    [
        (Checkpoint("fresh", ago(20), 1200, NOW), "20 min since the last checkpoint"),
        (Checkpoint("fresh", ago(80), 1200, ago(60)), "1 h 20 since the last checkpoint, as far as was seen 1 h 00 ago"),
        (Checkpoint("never_written", None, None, ago(60)), "all 6 h 00: it has saved nothing, as far as was seen 1 h 00 ago"),
        (Checkpoint("unknown", None, None, NOW), "when it last saved is not known"),
    ],
)
def test_the_loss_says_how_old_its_facts_are(checkpoint: Checkpoint, words: str) -> None:
    found = work_lost(seen(live(spot=True, CheckpointConfig=SAVES), checkpoint=checkpoint))
    assert found[1].replace("\xa0", " ") == words
    assert (found[0] is None) == (checkpoint.state == "unknown")
