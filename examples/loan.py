"""A loan: credit check, rules, documents, a committee that votes, an offer that expires.

Watch for

* rules as a decision table (``underwriting.dmn``), which people who grant loans can read and change: ``decide()`` keeps
  with the run which of them applied;
* k of n: five members are asked at once, the vote ends when it is decided, and whoever has not answered is not bothered
  any longer (``asyncio.as_completed()`` over ``approval()``; cancelling one withdraws its task);
* an offer that waits two weeks for ``signal("answer")``, and meanwhile lets itself be changed by an ``update``, whose
  validator says no before anything is recorded;
* ``query`` and ``set_attributes()``: what a clerk can ask the run, and find it by.

Run it::

    python examples/loan.py                  # small: on virtual time, weeks in a moment
    python examples/loan.py large            # goes to the committee
    python examples/loan.py risky            # is declined at once
    python examples/loan.py forgotten        # nobody answers the offer

In real time, with ``segue dev examples`` in one terminal and in another::

    segue start examples/loan.py:lend --id loan-7001 '{"id": "loan-7001", "name": "Ada Poe",
        "email": "ada@example.org", "amount": 12000, "months": 36, "income": 3100}'
    segue signal loan-7001 document payslip
    segue signal loan-7001 document "identity card"
    segue list --attribute phase=offered
    segue signal loan-7001 answer yes
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import services
from segue import (
    HumanTask,
    Retry,
    approval,
    decide,
    idempotency_key,
    now,
    query,
    set_attributes,
    signal,
    step,
    testing,
    update,
    workflow,
)
from segue.authoring import dmn

DAY = 86_400.0


@dataclass(frozen=True)
class Application:
    id: str
    name: str
    email: str
    amount: int
    months: int
    income: int
    """Monthly."""


@dataclass(frozen=True)
class Credit:
    score: int
    debts: int


Action = Literal["accept", "refer", "decline"]


@dataclass(frozen=True)
class Verdict:
    action: Action
    reasons: list[str]


@dataclass(frozen=True)
class Vote:
    yes: bool
    remark: str = ""


@dataclass(frozen=True)
class Offer:
    amount: int
    months: int
    rate: Decimal
    monthly: Decimal

    def __str__(self) -> str:
        return f"{self.amount:,} at {self.rate} % for {self.months} months: {self.monthly:,.2f} a month"


@dataclass
class Case:
    """What has happened to an application, and how it ended."""

    application: Application
    outcome: Literal["open", "paid out", "declined", "voted down", "abandoned", "expired", "turned down"] = "open"
    lines: list[str] = field(default_factory=list)
    votes: dict[str, Vote] = field(default_factory=dict)
    offer: Offer | None = None

    def add(self, text: str) -> None:
        self.lines.append(f"{now():%a %d %b %H:%M}  {text}")

    def end(self, outcome: Any, text: str) -> Case:
        self.outcome = outcome
        self.add(text)
        set_attributes(phase=outcome)
        return self

    def __str__(self) -> str:
        a = self.application
        return "\n  ".join([f"{a.id}, {a.name}, {a.amount:,} for {a.months} months: {self.outcome}", *self.lines])


# --- steps ------------------------------------------------------------------------------------------------------

STUBBORN = Retry(attempts=8, initial="200ms", maximum="1m", non_retryable=(services.Refused,))


@step(retry=STUBBORN)
def inquire(application: Application) -> Credit:
    """Every inquiry is on the record, so there must be only one: the key sees to that."""
    return Credit(**services.call("bureau/score", {"email": application.email}, key=idempotency_key()))


@step(retry=STUBBORN)
def mail(application: Application, subject: str, text: str = "") -> None:
    services.call("mail/send", {"to": application.email, "subject": subject, "text": text}, key=idempotency_key())


@step(retry=STUBBORN)
def pay_out(application: Application, offer: Offer) -> str:
    ask = {"loan": application.id, "email": application.email, "amount": offer.amount}
    return str(services.call("bank/pay_out", ask, key=idempotency_key())["transfer"])


# --- rules: no side effects, so no steps ------------------------------------------------------------------------


def price(application: Application, credit: Credit, months: int) -> Offer:
    """An annuity; the better the score, the lower the rate."""
    rate = Decimal("3.9") + Decimal(max(0, 800 - credit.score)) / 50
    monthly_rate = rate / 1200
    monthly = application.amount * monthly_rate / (1 - (1 + monthly_rate) ** -months)
    return Offer(application.amount, months, rate.quantize(Decimal("0.01")), monthly.quantize(Decimal("0.01")))


UNDERWRITING = dmn.read(Path(__file__).with_name("underwriting.dmn").read_bytes())


async def underwrite(application: Application, credit: Credit) -> Verdict:
    facts = {
        "score": credit.score,
        "burden": price(application, credit, application.months).monthly / application.income,
        "amount": application.amount,
        "months of debt": Decimal(credit.debts) / application.income,
    }
    return await decide(UNDERWRITING, "verdict", facts, result=Verdict)


# --- parts of the workflow: plain coroutines --------------------------------------------------------------------

COMMITTEE = ("Kim", "Lee", "Max", "Noa", "Ola")
NEEDED = 3


async def collect(case: Case, missing: list[str]) -> bool:
    """Waits for documents, with a reminder every five days; False after thirty."""
    try:
        async with asyncio.timeout(30 * DAY):
            while missing:
                try:
                    async with asyncio.timeout(5 * DAY):
                        document = await signal("document", str)
                except TimeoutError:
                    await mail(case.application, "Some documents are missing", ", ".join(missing))
                    case.add(f"reminder: {', '.join(missing)}")
                    continue
                if document in missing:
                    missing.remove(document)
                    case.add(f"{document} received")
    except TimeoutError:
        return False
    return True


async def vote(case: Case, facts: dict[str, Any]) -> bool:
    """Asks all members at once. Ends as soon as enough have said yes, or too many have said no or nothing."""

    async def ask(member: str) -> tuple[str, Vote]:
        name = f"{case.application.id}: lend?"
        try:
            return member, await approval(member, form=Vote, name=name, subject=facts, timeout="7d")
        except TimeoutError:
            return member, Vote(False, "did not answer")

    asked = [asyncio.create_task(ask(member)) for member in COMMITTEE]
    yes = no = 0
    for answer in asyncio.as_completed(asked):
        member, said = await answer
        case.votes[member] = said
        case.add(f"{member} votes {'yes' if said.yes else 'no'}{said.remark and f': {said.remark}'}")
        yes, no = yes + said.yes, no + (not said.yes)
        if yes == NEEDED or no > len(COMMITTEE) - NEEDED:
            break
    for task in asked:
        task.cancel()  # whoever has not answered need not
    await asyncio.wait(asked)
    return yes >= NEEDED


# --- the workflow -----------------------------------------------------------------------------------------------


@workflow
async def lend(application: Application) -> Case:
    case = Case(application)
    missing = ["identity card", "payslip"] + (["valuation"] if application.amount > 100_000 else [])

    @query
    def open_documents() -> list[str]:
        return missing

    set_attributes(applicant=application.name, amount=application.amount, phase="credit check")
    credit = await inquire(application)
    verdict = await underwrite(application, credit)
    set_attributes(score=credit.score, verdict=verdict.action)
    case.add(", ".join([f"score {credit.score}: {verdict.action}", *verdict.reasons]))
    if verdict.action == "decline":
        await mail(application, "We cannot lend you this", "; ".join(verdict.reasons))
        return case.end("declined", "told why")

    set_attributes(phase="documents")
    if not await collect(case, missing):
        await mail(application, "We have closed your application")
        return case.end("abandoned", f"not received: {', '.join(missing)}")

    if verdict.action == "refer":
        set_attributes(phase="committee")
        facts = {"amount": application.amount, "score": credit.score, "because": verdict.reasons}
        if not await vote(case, facts):
            await mail(application, "We cannot lend you this", "the committee has decided against it")
            return case.end("voted down", "told so")

    case.offer = price(application, credit, application.months)
    answered = False

    @update
    async def other_months(months: int) -> Offer:
        """The applicant asks for another term. The offer is made anew, and can be answered as before."""
        case.offer = price(application, credit, months)
        case.add(f"new offer: {case.offer}")
        return case.offer

    @other_months.validator
    def reasonable(months: int) -> None:
        if answered:
            raise ValueError("the offer has been answered")
        if not 6 <= months <= 120:
            raise ValueError("6 to 120 months")

    set_attributes(phase="offered")
    await mail(application, "Our offer", str(case.offer))
    case.add(f"offer: {case.offer}")
    try:
        async with asyncio.timeout(14 * DAY):
            answer = await signal("answer", str)
    except TimeoutError:
        return case.end("expired", "no answer within two weeks")
    finally:
        answered = True  # from here on it stands: what is paid out is what the applicant has agreed to
    if answer != "yes":
        return case.end("turned down", "the applicant says no")

    transfer = await pay_out(application, case.offer)
    return case.end("paid out", f"{transfer}: {case.offer}")


# --- weeks in a moment ------------------------------------------------------------------------------------------

APPLICATIONS = {
    "small": Application("loan-7001", "Ada Poe", "ada@example.org", 12_000, 36, 3_100),
    "large": Application("loan-7002", "Bob Fox", "bob@example.org", 140_000, 120, 5_200),
    "risky": Application("loan-7003", "Eve Ray", "eve@example.org", 9_000, 24, 2_400),
    "forgotten": Application("loan-7004", "Dan Orr", "dan@example.org", 8_000, 24, 2_900),
}
VOTES = {"Kim": (2, True), "Lee": (30, False), "Max": (200, True), "Noa": (51, True), "Ola": (26, True)}
"""After how many hours each member answers, and what."""


def stage(world: testing.World, id: str, *, answer: str = "yes", votes: dict[str, tuple[int, bool]] = VOTES) -> None:
    """The committee, and the applicant with the documents and the answer to the offer."""
    for member, (hours, yes) in votes.items():
        world.person(member, partial(_vote, yes), after=f"{hours}h")
    for days, name, value in [
        (1.1, "document", "identity card"),
        (6.3, "document", "payslip"),
        (7.2, "document", "valuation"),
        (12.4, "answer", answer),
    ]:
        if value:
            world.at(testing.DAWN + timedelta(days=days), partial(_send, world, id, name, value))


def _vote(yes: bool, task: HumanTask) -> Vote:
    return Vote(yes)


async def _send(world: testing.World, id: str, name: str, value: str) -> None:
    await (await world.engine.handle(id)).signal(name, value, message=f"{name} {value}")


async def main(which: str) -> None:
    application = APPLICATIONS[which]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        async with testing.engine(folder) as world:
            handle = await world.engine.start(lend, application, id=application.id)
            stage(world, application.id, answer="" if which == "forgotten" else "yes")
            print(await world.result(handle))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "small"))
