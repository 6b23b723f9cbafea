"""How a schedule stands in its row: the plan that it follows, and where it is."""

from __future__ import annotations

import msgspec

from segue.kernel.schedule import Backfill, Policy, Progress, Standing
from segue.recurrence.rules import Instants, Rule, Within, instants
from segue.stores.schedule_rows import ScheduleRow


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a schedule does.

    Attributes:
        workflow: which one is started. rule: when. policy: how.
        input: the arguments of every run, a payload as ``JournalFormat.readable`` writes it; input_hash: of them.
        tags: of every run. note: for people.
        declared: what the code said when it was last read, for a schedule that is declared in code. What differs from
            it in this plan was changed by a person since.
        backfill: what a backfill does, in a backfill's row.
    """

    workflow: str
    rule: Rule
    policy: Policy
    input: msgspec.Raw
    input_hash: str
    tags: dict[str, str] = {}
    note: str = ""
    declared: Plan | None = None
    backfill: Backfill | None = None

    @property
    def instants(self) -> Instants:
        """When it is due; a backfill also goes beyond the schedule's own start and end."""
        if self.backfill is not None:
            return instants(self.rule)
        return Within(instants(self.rule), self.policy.start, self.policy.end)


_encoder = msgspec.json.Encoder()
_plans = msgspec.json.Decoder(Plan)
_standings = msgspec.json.Decoder(Standing)
_progresses = msgspec.json.Decoder(Progress)


def encode(value: Plan | Standing | Progress) -> bytes:
    """A column of the row."""
    return _encoder.encode(value)


def plan_of(row: ScheduleRow) -> Plan:
    """What the row says is to be done."""
    return _plans.decode(row.plan)


def standing_of(row: ScheduleRow) -> Standing:
    """Where the schedule of the row stands."""
    return _standings.decode(row.standing)


def progress_of(row: ScheduleRow) -> Progress:
    """Where the backfill of the row stands."""
    return _progresses.decode(row.standing)
