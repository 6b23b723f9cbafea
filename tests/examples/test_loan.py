"""The loan: every way in which it can end, and the way there through every death."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from example_kit import Around, Ending, moments, play, script, services_in

from loan import APPLICATIONS, VOTES, Case, Credit, lend, price, stage, underwrite
from segue import Handle, testing
from segue.errors import UpdateRejected
from segue.stores.base import RunFilter

pytestmark = [pytest.mark.xdist_group("example-loan")]


async def started(world: testing.World, which: str, **options: Any) -> Handle[Case]:
    handle = await world.engine.start(lend, APPLICATIONS[which], id="loan")
    stage(world, "loan", **options)
    return handle


async def decided(folder: Path, which: str, **options: Any) -> Case:
    async with testing.engine(folder) as world:
        return await world.result(await started(world, which, **options))


# --- how it ends ----------------------------------------------------------------------------------------------


async def test_a_small_one_is_paid_out(tmp_path: Path, around: Around) -> None:
    case = await decided(tmp_path, "small")

    assert case.outcome == "paid out"
    assert case.votes == {}, "nobody had to vote"
    assert [(t["owner"], t["amount"]) for t in around.book("bank")] == [("loan-7001", 12_000)]
    assert len(around.book("bureau")) == 1, "its answer was lost, and it was asked again under the same key"
    assert "Sun 11 Jan 11:24  reminder: payslip" in case.lines


async def test_a_large_one_is_voted_on_until_it_is_decided(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        case = await world.result(await started(world, "large"))
        tasks = await world.engine.tasks(state=None)

    assert case.outcome == "paid out"
    assert list(case.votes) == ["Kim", "Ola", "Lee", "Noa"]
    assert {task.assignee: task.state for task in tasks} == dict.fromkeys(VOTES, "completed") | {"Max": "withdrawn"}
    assert case.lines[-3] == "Wed 14 Jan 16:48  Noa votes yes", "three of five are enough"


@pytest.mark.parametrize(
    ("votes", "heard"),
    [
        ({"Kim": (3, False), "Lee": (1, False), "Max": (9, True), "Noa": (6, False)}, ["Lee", "Kim", "Noa"]),
        ({"Kim": (1, True), "Lee": (2, True)}, ["Kim", "Lee", "Max", "Noa", "Ola"]),
    ],
    ids=["three say no", "three say nothing for a week"],
)
async def test_it_is_voted_down(
    votes: dict[str, tuple[int, bool]], heard: list[str], tmp_path: Path, around: Around
) -> None:
    case = await decided(tmp_path, "large", votes=votes)

    assert case.outcome == "voted down"
    assert list(case.votes) == heard
    assert around.book("bank") == []


async def test_a_risky_one_is_declined(tmp_path: Path, around: Around) -> None:
    case = await decided(tmp_path, "risky")
    assert (case.outcome, len(case.lines)) == ("declined", 2)
    assert [mail["text"] for mail in around.book("mail")] == ["score 498 is below 550"]


async def test_an_offer_expires(tmp_path: Path, around: Around) -> None:
    case = await decided(tmp_path, "forgotten", answer="")
    assert case.outcome == "expired"
    assert case.lines[-1] == "Sun 25 Jan 16:12  no answer within two weeks"
    assert around.book("bank") == []


async def test_an_offer_is_turned_down(tmp_path: Path, around: Around) -> None:
    assert (await decided(tmp_path, "small", answer="no")).outcome == "turned down"


async def test_documents_that_do_not_come_close_the_case(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        case = await world.result(await world.engine.start(lend, APPLICATIONS["small"]))

    assert case.outcome == "abandoned"
    assert sum("reminder" in line for line in case.lines) == 5, "every five days, until thirty are over"


# --- what can be asked and changed meanwhile --------------------------------------------------------------------


async def test_the_applicant_takes_another_term(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await started(world, "small")
        await world.advance("8d")
        with pytest.raises(UpdateRejected, match="6 to 120 months"):
            await handle.update("other_months", 600)
        offer = await handle.update("other_months", 60)
        case = await world.result(handle)

    assert offer["months"] == 60
    assert case.offer == price(case.application, Credit(741, 1_200), 60)
    assert case.outcome == "paid out"


async def test_a_clerk_sees_what_is_missing_and_finds_cases_by_phase(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await started(world, "large")
        await world.advance("2d")
        assert await handle.query("open_documents") == ["payslip", "valuation"]
        phases = []
        for days in ("0d", "6d", "4d", "8d"):
            await world.advance(days)
            for phase in ("documents", "committee", "offered", "paid out"):
                phases += [phase] * len(await world.engine.list(RunFilter(attributes={"phase": phase})))
    assert phases == ["documents", "committee", "offered", "paid out"]


# --- rules, with no engine in sight -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "credit", "action"),
    [
        ({}, Credit(741, 0), "accept"),
        ({}, Credit(549, 0), "decline"),
        ({}, Credit(600, 0), "refer"),
        ({}, Credit(741, 20_000), "refer"),
        ({"amount": 50_001}, Credit(741, 0), "decline"),
        ({"amount": 50_001, "months": 120}, Credit(741, 0), "refer"),
        ({"income": 700}, Credit(741, 0), "decline"),
    ],
)
async def test_rules(changes: dict[str, int], credit: Credit, action: str) -> None:
    verdict = await underwrite(replace(APPLICATIONS["small"], **changes), credit)  # type: ignore[arg-type]
    assert verdict.action == action


async def test_the_rules_say_why() -> None:
    poor = replace(APPLICATIONS["small"], income=700)
    assert (await underwrite(poor, Credit(549, 0))).reasons == [
        "score 549 is below 550",
        "payments would take 54% of the income",
    ]
    assert (await underwrite(APPLICATIONS["small"], Credit(741, 0))).reasons == []


def test_an_annuity() -> None:
    offer = price(APPLICATIONS["small"], Credit(800, 0), 36)
    assert (offer.rate, offer.monthly) == (Decimal("3.90"), Decimal("353.75"))


# --- killed ---------------------------------------------------------------------------------------------------


@functools.cache
def fault_free(which: str) -> Ending:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMPLE_SERVICES", f"{folder}/services")
        with services_in(Path(folder, "services")):
            return play("loan", Path(folder, "run"), which)


@pytest.mark.parametrize(("which", "seed"), [("large", 0), ("large", 1), ("large", 2), ("small", 3)])
def test_killed_at_any_moment_it_ends_the_same(which: str, seed: int, tmp_path: Path, around: Around) -> None:
    whole = fault_free(which)

    ending = play("loan", tmp_path, which, kills=moments(f"loan {seed}", whole.events))

    assert ending.outcome == whole.outcome
    assert ending.outcome[1]["outcome"] == "paid out"
    assert (len(around.book("bureau")), len(around.book("bank"))) == (1, 1)


# --- as a reader runs it --------------------------------------------------------------------------------------


def test_it_prints_the_case(tmp_path: Path) -> None:
    assert "Wed 14 Jan 16:48  Noa votes yes" in script("loan", tmp_path, "large")
