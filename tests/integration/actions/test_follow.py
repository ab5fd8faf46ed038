"""Stops followed to their end, from what collectors find, whatever became of who asked; on both databases."""

from datetime import timedelta

from sqlalchemy import Engine

from storage.engine import reading
from storage.stops import CLAIM_HOLDS
from storage.views.audit import StopsSummary, stops_since
from tests.descriptions import description
from tests.integration.actions.conftest import ADMIN, NAME, OTHER_ACCOUNT, TWO_ACCOUNTS, Desk, Sit, neighbours, running
from tests.integration.actions.test_stop_once import killed
from tests.integration.collectors.watching import HOUR, MINUTE, NOW, lasting
from tests.integration.derivations.test_keep import keep

SECOND = timedelta(seconds=1)


def _later(desk: Desk, by: timedelta) -> list[str]:
    """Some time later, from facts of that time: the states of the stops that came to their end."""
    desk.clock.advance(by)
    desk.collect()
    return [one.state for one in desk.follow()]


def _summary(desk: Desk) -> StopsSummary:
    with reading(desk.engine) as connection:
        return stops_since(connection, NOW - HOUR)


def test_a_stop_is_followed_until_the_job_has_stopped_and_what_that_avoided_is_kept(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=1800), *neighbours()], engine)
    avoided = desk.target().avoided_nusd
    desk.stop()
    for _ in range(2):
        assert _later(desk, 14 * MINUTE) == []
        assert [one.state for one in desk.open_stops()] == ["stopping"]
        assert desk.events() == ["asked", "stopping: AWS was asked and stops it"]
        assert _summary(desk) == StopsSummary(0, 0)
    assert _later(desk, 3 * MINUTE) == ["stopped"]
    assert desk.events() == ["asked", "stopping: AWS was asked and stops it", "stopped: it is Stopped"]
    row = desk.audit()[0]
    assert (row.by, row.after) == ("olga@example.com", {"status": "Stopped"})
    assert desk.open_stops() == []
    assert avoided is not None
    assert _summary(desk) == StopsSummary(1, avoided)


def test_an_end_is_written_down_once(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.stop()
    assert _later(desk, HOUR) == ["stopped"]
    assert _later(desk, MINUTE) == []
    assert desk.follow() == []
    assert len(desk.events()) == 3


def test_facts_from_before_the_stop_say_nothing_of_it(sit: Sit) -> None:
    desk = sit()
    desk.stop()
    desk.clock.advance(HOUR)
    assert desk.follow() == []
    assert [one.state for one in desk.open_stops()] == ["stopping"]


def test_a_job_that_completes_while_it_is_being_stopped_has_come_to_its_end_too(sit: Sit) -> None:
    desk = sit([running(overrides={"TrainingJobStatus": "InProgress"})])
    desk.stop()
    desk.entry().plan = running(overrides={"TrainingJobStatus": "Completed"})
    assert _later(desk, HOUR) == ["already_ended"]
    assert desk.events()[-1] == "already_ended: it is Completed, which no stop made it; nothing was avoided"
    assert _summary(desk) == StopsSummary(0, 0)


def test_a_job_that_aws_knows_no_more_has_come_to_its_end(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=1e6)], engine)
    desk.stop()
    desk.entry().deleted_at = desk.clock.now()
    assert _later(desk, MINUTE) == ["stopped"]
    assert desk.events()[-1] == "stopped: it is Gone"


def test_a_new_job_under_the_old_name_does_not_stand_for_the_one_that_was_stopped(sit: Sit) -> None:
    desk = sit([running(stop_takes_seconds=60)])
    desk.stop()
    desk.clock.advance(5 * MINUTE)
    desk.entry().deleted_at = desk.clock.now()
    desk.aws.add(running(created=-5 * MINUTE))
    assert _later(desk, MINUTE) == ["stopped"]
    assert desk.status() == "InProgress"


def test_an_old_job_of_the_same_name_does_not_stand_for_the_one_that_is_stopping(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=36_000)], engine)
    keep(engine, [description(NAME, created=-720)], desk.settings, observed=NOW - HOUR)
    desk.stop(desk.target(created="2026-11-20T09:00:00Z"))
    assert _later(desk, HOUR) == []
    assert [one.status for one in desk.open_stops()] == ["Stopping"]


def test_a_stop_of_a_tuning_job_is_followed_too(sit: Sit, engine: Engine) -> None:
    desk = sit([running("hpo-001-1a2b3c4d", tuning_job="hpo", stop_takes_seconds=600)], engine)
    desk.stop(desk.tuner("hpo"), person=ADMIN)
    assert _later(desk, 5 * MINUTE) == []
    assert _later(desk, 20 * MINUTE) == ["stopped"]
    assert desk.events()[-1] == "stopped: it is Stopped"


def test_the_stops_of_another_account_are_left_to_their_own_facts(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine, aws=TWO_ACCOUNTS)
    desk.stop(desk.target(account=OTHER_ACCOUNT), person=ADMIN)
    desk.clock.advance(HOUR)
    desk.collect()
    assert desk.follow(1) == []
    assert [one.name for one in desk.follow(2)] == [NAME]


# Who asked has died


def test_a_claim_that_never_reached_aws_is_given_back_once_facts_show_the_job_running_on(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    killed(desk, "dies before asking")
    assert _later(desk, CLAIM_HOLDS) == []
    assert [one.state for one in desk.open_stops()] == ["claimed"]
    assert _later(desk, SECOND) == ["failed"]
    row = desk.audit()[0]
    assert (row.by, row.outcome) == ("mallory", "failed: whoever asked ended before AWS was asked, and it runs on; stop it again")
    assert row.after == {"status": "InProgress"}
    assert (desk.asked(), desk.status(), desk.open_stops()) == (0, "InProgress", [])
    assert _summary(desk) == StopsSummary(0, 0)
    assert desk.stop().outcome == "stopping"
    assert desk.asked() == 1


def test_a_claim_is_not_given_back_on_facts_that_are_older_than_it_holds(sit: Sit) -> None:
    desk = sit()
    killed(desk, "dies before asking")
    assert _later(desk, MINUTE) == []
    desk.clock.advance(HOUR)  # and the collectors stand still
    assert desk.follow() == []
    assert [one.state for one in desk.open_stops()] == ["claimed"]


def test_what_aws_was_asked_and_nobody_wrote_down_is_found_out(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=1800)], engine)
    killed(desk, "dies after asking")
    assert (desk.asked(), desk.status(), desk.events()) == (1, "Stopping", ["asked"])
    assert _later(desk, CLAIM_HOLDS) == []
    assert _later(desk, SECOND) == []
    assert desk.events() == ["asked", "stopping: AWS was asked, though nobody wrote that down"]
    assert _later(desk, MINUTE) == []
    assert len(desk.events()) == 2
    assert _later(desk, HOUR) == ["stopped"]
    assert desk.events()[-1] == "stopped: it is Stopped"


def test_a_job_that_ended_by_itself_under_a_claim_that_died_leaves_nothing_open(sit: Sit) -> None:
    desk = sit([running(phases=lasting(3))])
    killed(desk, "dies before asking")
    assert _later(desk, HOUR) == ["already_ended"]
    assert desk.events()[-1].startswith("already_ended: it is Completed")
    assert desk.open_stops() == []
    assert _summary(desk) == StopsSummary(0, 0)
