"""Somebody joins: four months of paperwork, equipment, a desk, courses and a review, across people and services.

HR, IT and facilities are separate services, and each has its area: a workflow of its own, started as a child. Watch for

* ``expect()``: waiting for a signal and sending a reminder every few days is a loop around ``asyncio.timeout()``;
* ``approval(timeout=…, escalate=…)``: somebody is asked, and somebody else when no answer comes;
* child workflows with ids of their own, so that an uploaded document finds the run that waits for it;
* ``saga()`` around children: if the person withdraws (``segue cancel``), every area gives back what it has taken;
* and that nothing runs meanwhile: a process looks in when a timer is due or a signal comes.

Run it::

    python examples/onboarding.py           # four months on virtual time: a diary in a moment
    python examples/onboarding.py withdraw  # the person takes another job on day 10

In real time, with ``segue dev examples`` in one terminal and in another::

    segue start examples/onboarding.py:onboard --id ada '{"name": "Ada Poe", "email": "ada@example.org",
        "site": "Lyon", "laptop": "workstation", "starts": "2026-12-01"}'
    segue signal paperwork-ada@example.org document passport
    segue task list
    segue approve equipment-ada@example.org --yes
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any

import services
from segue import (
    Approval,
    HumanTask,
    Retry,
    RunCancelled,
    approval,
    idempotency_key,
    now,
    publish,
    saga,
    set_attributes,
    signal,
    step,
    testing,
    workflow,
)
from segue.errors import RunNotFound

DAY = 86_400.0


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    site: str
    laptop: str
    starts: date


@dataclass(frozen=True)
class Note:
    """A line in the diary."""

    at: datetime
    area: str
    text: str


@dataclass
class Diary:
    notes: list[Note] = field(default_factory=list)

    def note(self, area: str, text: str) -> None:
        self.notes.append(Note(now().replace(second=0, microsecond=0), area, text))

    def __str__(self) -> str:
        lines = sorted(self.notes, key=lambda note: (note.at, note.area))
        return "\n".join(f"  {note.at:%a %d %b %H:%M}  {note.area:<11}{note.text}" for note in lines)


@dataclass(frozen=True)
class Attendance:
    passed: bool
    remark: str = ""


@dataclass(frozen=True)
class Review:
    stays: bool
    remark: str = ""


# --- steps ------------------------------------------------------------------------------------------------------

PERSISTENT = Retry(attempts=8, initial="200ms", maximum="1m", non_retryable=(services.Refused,))


def please(operation: str, person: Person, **what: Any) -> dict[str, Any]:
    return services.call(operation, {"email": person.email, **what}, key=idempotency_key())


@step(retry=PERSISTENT)
def register(person: Person) -> str:
    return str(please("hr/register", person, name=person.name, starts=person.starts.isoformat())["number"])


@step(retry=PERSISTENT)
def deregister(person: Person, number: str | None) -> None:
    please("hr/deregister", person)


@step(retry=PERSISTENT)
def file_document(person: Person, what: str) -> None:
    please("hr/file_document", person, what=what)


@step(retry=PERSISTENT)
def book_course(person: Person, course: str) -> int:
    return int(please("hr/book_course", person, course=course)["in_days"])


@step(retry=PERSISTENT)
def open_account(person: Person) -> str:
    return str(please("it/account", person)["login"])


@step(retry=PERSISTENT)
def close_account(person: Person, login: str | None) -> None:
    please("it/close_account", person)


@step(retry=PERSISTENT)
def order_laptop(person: Person, model: str) -> int:
    return int(please("it/laptop", person, model=model)["in_days"])


@step(retry=PERSISTENT)
def return_laptop(person: Person, model: str, in_days: int | None) -> None:
    please("it/return_laptop", person)


@step(retry=PERSISTENT)
def take_desk(person: Person) -> str:
    return str(please("facilities/desk", person, site=person.site)["desk"])


@step(retry=PERSISTENT)
def free_desk(person: Person, desk: str | None) -> None:
    please("facilities/free_desk", person)


@step(retry=PERSISTENT)
def make_badge(person: Person, photo: str) -> str:
    return str(please("facilities/badge", person, photo=photo)["badge"])


@step(retry=PERSISTENT)
def void_badge(person: Person, photo: str, badge: str | None) -> None:
    please("facilities/void_badge", person)


@step(retry=PERSISTENT)
def write_to(person: Person, subject: str, text: str) -> None:
    services.call("mail/send", {"to": person.email, "subject": subject, "text": text}, key=idempotency_key())


# --- waiting, with reminders: plain code of the workflow --------------------------------------------------------


async def expect(name: str, every: float, remind: Callable[[int], Awaitable[None]]) -> str:
    """The next signal of a name; ``remind(n)`` after every so many seconds without one."""
    for n in count(1):
        try:
            async with asyncio.timeout(every):
                return await signal(name, str)
        except TimeoutError:
            await remind(n)
    raise AssertionError("unreachable")


async def sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - now()).total_seconds()))


# --- the areas, each a workflow of its own ----------------------------------------------------------------------


@workflow
async def paperwork(person: Person) -> Diary:
    """HR needs three documents. Two reminders by mail, then somebody calls."""
    diary = Diary()
    missing = ["contract", "tax form", "passport"]

    async def remind(n: int) -> None:
        if n % 3:
            await write_to(person, f"Reminder {n}", f"We still need: {', '.join(missing)}.")
            diary.note("HR", f"reminder {n}: {', '.join(missing)}")
        else:
            question = {"name": person.name, "missing": missing}
            call = await approval("hr", name="Call them", subject=question, timeout="2d", escalate="hr manager")
            diary.note("HR", f"called: {call.comment}")

    while missing:
        publish("missing", missing)
        document = await expect("document", every=3 * DAY, remind=remind)
        if document in missing:
            missing.remove(document)
            await file_document(person, document)
            diary.note("HR", f"{document} received")
    return diary


@workflow
async def equipment(person: Person) -> Diary:
    """IT opens an account and orders a laptop; a better one needs the team lead's consent."""
    diary = Diary()
    async with saga() as s:
        login = await s.step(open_account, person, undo=close_account)
        diary.note("IT", f"account {login}")
        model = person.laptop
        if model != "standard":
            answer = await approval(
                "team lead", name=f"A {model} for {person.name}?", timeout="5d", escalate="it manager"
            )
            model = model if answer.approved else "standard"
        in_days = await s.step(order_laptop, person, model, undo=return_laptop)
        diary.note("IT", f"{model} laptop ordered")
        await asyncio.sleep(in_days * DAY)
        diary.note("IT", f"{model} laptop is ready")
    return diary


@workflow
async def workplace(person: Person) -> Diary:
    """Facilities find a desk, and make a badge once there is a photo."""
    diary = Diary()

    async def remind(n: int) -> None:
        await write_to(person, "A photo, please", "Without one there is no badge.")
        diary.note("facilities", "asked for a photo")

    async with saga() as s:
        desk = await s.step(take_desk, person, undo=free_desk)
        diary.note("facilities", f"{desk} in {person.site}")
        photo = await expect("photo", every=2 * DAY, remind=remind)
        badge = await s.step(make_badge, person, photo, undo=void_badge)
        diary.note("facilities", badge)
    return diary


@workflow
async def training(person: Person) -> Diary:
    """Three courses, one after the other; who misses one takes it again."""
    diary = Diary()
    for course in ("safety", "security", "customers"):
        for turn in count(1):
            in_days = await book_course(person, course)
            await asyncio.sleep(in_days * DAY)
            question = {"course": course, "turn": turn}
            seen = await approval(
                "trainer",
                form=Attendance,
                name=f"Has {person.name} passed?",
                subject=question,
                timeout="2d",
                escalate="hr manager",
            )
            diary.note(
                "training", f"{course}: {'passed' if seen.passed else 'again'}{seen.remark and f' ({seen.remark})'}"
            )
            if seen.passed:
                break
    return diary


# --- and what they belong to ------------------------------------------------------------------------------------


async def give_back_equipment(person: Person, done: Diary | None) -> None:
    """Undoes an area that was complete. One that was not has undone itself."""
    await return_laptop(person, person.laptop, None)
    await close_account(person, None)


async def give_back_workplace(person: Person, done: Diary | None) -> None:
    await void_badge(person, "", None)
    await free_desk(person, None)


@workflow
async def onboard(person: Person) -> Diary:
    set_attributes(person=person.email, starts=person.starts.isoformat(), phase="preparing")
    diary = Diary()
    async with saga() as s:
        number = await s.step(register, person, undo=deregister)
        diary.note("HR", f"{person.name} is {number}")
        areas = await asyncio.gather(
            s.step(partial(paperwork.child, id=f"paperwork-{person.email}"), person),
            s.step(partial(equipment.child, id=f"equipment-{person.email}"), person, undo=give_back_equipment),
            s.step(partial(workplace.child, id=f"workplace-{person.email}"), person, undo=give_back_workplace),
        )
        await sleep_until(datetime.combine(person.starts, time(9), UTC))
        diary.note("all", "first day")
        set_attributes(phase="learning")
        courses = await training(person)
        set_attributes(phase="on probation")
        await asyncio.sleep(90 * DAY)
    question = f"Does {person.name} stay?"
    review = await approval("team lead", form=Review, name=question, timeout="7d", escalate="hr manager")
    diary.note("all", ("stays" if review.stays else "leaves") + (review.remark and f": {review.remark}"))
    set_attributes(phase="done")
    diary.notes += [note for area in (*areas, courses) for note in area.notes]
    return diary


# --- four months in a moment ------------------------------------------------------------------------------------

ADA = Person("Ada Poe", "ada@example.org", "Lyon", "workstation", date(2026, 2, 2))


def stage(world: testing.World) -> None:
    """The people around it: who answers what, after how long, and when the documents come."""

    def trainer(task: HumanTask) -> Attendance:
        ill = task.subject == {"course": "security", "turn": 1}
        return Attendance(not ill, "was ill" if ill else "")

    world.person("team lead", lambda task: Approval(True) if task.name.startswith("A ") else None, after="1d")
    world.person("hr", lambda task: None)  # on leave
    world.person("hr manager", lambda task: Review(True, "good work") if "stay" in task.name else CALLED, after="5h")
    world.person("trainer", trainer, after="6h")
    for days, run, name, value in [
        (2.1, "paperwork", "document", "contract"),
        (5.3, "workplace", "photo", "ada.jpg"),
        (9.2, "paperwork", "document", "tax form"),
        (22.4, "paperwork", "document", "passport"),
    ]:
        world.at(testing.DAWN + timedelta(days=days), partial(send, world, f"{run}-{ADA.email}", name, value))


CALLED = Approval(True, "the passport is being renewed")


async def send(world: testing.World, run: str, name: str, value: str) -> None:
    """As a portal would: under an id, so that sending it again changes nothing."""
    while True:
        try:
            await (await world.engine.handle(run)).signal(name, value, message=f"{name} {value}")
            return
        except RunNotFound:
            await asyncio.sleep(0)  # not started yet


async def main(withdraw: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        async with testing.engine(folder) as world:
            stage(world)
            handle = await world.engine.start(onboard, ADA, id="ada")
            if withdraw:
                world.after("10d", lambda: handle.cancel("another job"))
            try:
                print(await world.result(handle))
            except RunCancelled as cancelled:
                print(cancelled)
                for service in ("hr", "it", "facilities"):
                    for entry in services.holds(service)["book"]:
                        print(f"  {service:<12}{entry['ref']:<14}{entry['state']}")


if __name__ == "__main__":
    asyncio.run(main("withdraw" in sys.argv[1:]))
