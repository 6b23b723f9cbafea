"""A secret's value exists inside the executing step only: a canary is looked for in every file that a run leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue import Engine, RunFailed, SecretRef, Transaction, log, outbox, progress, state, step, workflow
from segue.secrets import Environment, SecretChain

CANARY = "canary-7f3a-swordfish"


@step
async def use(token: SecretRef) -> int:
    print("the token is", token.value())
    log.info("again: %s", token.value())
    progress(1, 2, f"with {token.value()}")
    return len(token.value())


@step
def use_in_thread(token: SecretRef) -> int:
    return len(token.value())


@step
async def leak_by_error(token: SecretRef) -> None:
    raise ValueError(f"rejected {token.value()}")


@step
async def leak_by_result(token: SecretRef) -> str:
    return f"Bearer {token.value()}"


@step(executor="process")
def leak_by_state_of_a_process(token: SecretRef) -> None:
    state.set_sync("sessions", "last", {"token": token.value()})


@step
async def leak_by_state(token: SecretRef) -> None:
    await state.set("sessions", "last", {"token": token.value()})


@step.transaction
def leak_by_transaction(transaction: Transaction, token: SecretRef) -> None:
    state.set_sync("sessions", "last", f'"{token.value()}"')


@step.transaction
def leak_by_outbox(transaction: Transaction, token: SecretRef) -> None:
    outbox.start(transaction, "careful", {"token": token.value()})


LEAKS = {
    "error": leak_by_error, "result": leak_by_result, "state": leak_by_state, "transaction": leak_by_transaction,
    "process": leak_by_state_of_a_process, "outbox": leak_by_outbox,
}  # fmt: skip


@workflow
async def careful(token: SecretRef) -> int:
    return await use(token) + await use_in_thread(token)


@workflow
async def careless(token: SecretRef, how: str) -> None:
    await LEAKS[how](token)


def look_through(folder: Path) -> None:
    files = [file for file in folder.iterdir() if file.is_file()]
    assert len(files) >= 2, "the database and the log file"
    for file in files:
        assert CANARY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("how", LEAKS)
async def test_no_file_ever_holds_the_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("SEGUE_SECRET_TOKEN", CANARY)
    secrets = SecretChain([Environment()])
    async with Engine(f"sqlite:///{tmp_path}/s.db", secrets=secrets) as engine:
        assert await (await engine.start(careful, SecretRef("token"))).result() == 2 * len(CANARY)
        with pytest.raises(RunFailed) as caught:
            await (await engine.start(careless, SecretRef("token"), how)).result()
        assert CANARY not in str(caught.value)
        assert ("contains the value of a secret" in str(caught.value)) == (how != "error")
        assert CANARY not in repr(caught.value.failure)
    look_through(tmp_path)


async def test_outside_a_step_there_is_no_value() -> None:
    with pytest.raises(Exception, match="inside an executing step"):
        SecretRef("token").value()
