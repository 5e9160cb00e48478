"""A local run from start to stop: what it says, what it keeps, and that it leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_run import ROOT, LocalRun, command, environment, running
from tests.support.shop import Shop

GIFT = {"points": 7, "reason": "gift"}


def points(shop: Shop, customer_id: str) -> int:
    return shop.get(f"/v1/customers/{customer_id}/loyalty").json()["active_points"]


def give(shop: Shop, customer_id: str) -> None:
    shop.post(
        "/v1/identify", {"userId": customer_id}, shop.sk
    )  # points are for somebody the shop has heard of
    answer = shop.post(
        f"/v1/customers/{customer_id}/loyalty/accruals", GIFT, shop.sk | {"Idempotency-Key": "gift"}
    )
    assert answer.status_code == 201, answer.text


def await_end(pid: int) -> None:
    """Wait for a process that is not our child."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([process], [], [], 30)
        assert ended, f"process {pid} goes on"
    finally:
        os.close(process)


def test_state_survives_a_stop_and_a_restart(tmp_path: Path):
    with running(tmp_path) as run:
        shop = Shop(run.address)
        give(shop, "kept")
        shop.close()
    with running(tmp_path) as run:
        shop = Shop(run.address)
        assert points(shop, "kept") == 7
        give(shop, "kept")  # the same key: the ledger remembers the gift itself, not only the sum
        assert points(shop, "kept") == 7
        give(shop, "later")
        shop.idle()
        shop.close()
        assert "ERROR" not in run.said


def test_what_is_stored_is_never_mixed_with_a_demo(tmp_path: Path):
    with running(tmp_path):
        pass
    with running(tmp_path, DEMO="small") as run:
        assert "What is stored began with DEMO=0 and stays; `make reset` makes room for another." in run.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_that_was_started(tmp_path: Path, number: int):
    run = LocalRun(tmp_path).await_ready()
    emulator = run.emulator_pid()
    assert run.stop(number) == 0
    await_end(emulator)
    assert "Stopped" in run.said
    assert not (tmp_path / "running.json").exists()


def test_a_run_whose_emulator_dies_says_so_and_ends(tmp_path: Path):
    run = LocalRun(tmp_path).await_ready()
    os.kill(run.emulator_pid(), signal.SIGKILL)
    run.await_said("The embedded AWS ended by itself")
    assert run.process.wait(30) == 1
    assert "Traceback" not in run.said


def test_a_run_ends_well_when_its_terminal_is_gone(tmp_path: Path):
    run = subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None
        assert any("is ready" in line for line in run.stdout)
        run.stdout.close()
        run.send_signal(signal.SIGHUP)
    assert run.returncode == 0
    assert command(tmp_path, "reset")[0] == 0


def test_the_emulator_stops_by_itself_and_keeps_its_state_when_the_run_is_killed(tmp_path: Path):
    run = LocalRun(tmp_path).await_ready()
    shop = Shop(run.address)
    give(shop, "survivor")
    shop.close()
    emulator = run.emulator_pid()
    run.stop(signal.SIGKILL)
    await_end(emulator)
    with running(tmp_path) as again:
        shop = Shop(again.address)
        assert points(shop, "survivor") == 7
        shop.close()


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing_running(tmp_path: Path):
    run = LocalRun(tmp_path)
    run.await_said("Starting")
    assert run.stop() == 0
    assert "Traceback" not in run.said
    code, _ = command(tmp_path, "reset")  # refuses while anything uses the folder
    assert code == 0


def test_ctrl_c_while_the_demo_loads_promises_nothing(tmp_path: Path):
    run = LocalRun(tmp_path, DEMO="small")
    run.await_said("Products")
    assert run.stop() == 0
    assert "kept" not in run.said
    assert "the next run starts over" in run.said


def test_a_busy_port_is_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = command(tmp_path, PORT=str(port))
    assert code == 1
    assert said == f"Port {port} is in use: stop what is using it, or choose another with PORT={port + 1}.\n"


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT is 'eighty', but it must be a number from 0 (any free port) to 65535.\n"),
        ({"PORT": "65536"}, "PORT is '65536', but it must be a number from 0 (any free port) to 65535.\n"),
        ({"DEMO": "huge"}, "DEMO is 'huge', but it can be small, full or 0 (nothing).\n"),
    ],
)
def test_a_wrong_choice_is_one_sentence(tmp_path: Path, choice: dict[str, str], sentence: str):
    assert command(tmp_path, **choice) == (1, sentence)
    assert not any(tmp_path.iterdir())


def test_a_missing_emulator_is_one_sentence(tmp_path: Path):
    code, said = command(tmp_path, KOKYAKU_EMULATOR_PYTHON=str(tmp_path / "nowhere"))
    assert code == 1
    assert said.splitlines()[-1].startswith("The embedded AWS is not installed")
    assert "Traceback" not in said


def test_an_unknown_command_shows_the_known_ones(tmp_path: Path):
    assert command(tmp_path, "walk") == (2, "usage: python -m local [run|reset|train]\n")


def test_one_folder_serves_one_run(tmp_path: Path):
    with running(tmp_path) as run:
        sentence = f"Another run is using {tmp_path} at {run.address}: stop it first.\n"
        assert command(tmp_path) == (1, sentence)
        assert command(tmp_path, "reset") == (1, sentence)


def test_reset_forgets(tmp_path: Path):
    with running(tmp_path) as run:
        shop = Shop(run.address)
        give(shop, "forgotten")
        shop.close()
    assert command(tmp_path, "reset")[0] == 0
    with running(tmp_path) as run:
        shop = Shop(run.address)
        assert points(shop, "forgotten") == 0
        shop.close()


def test_a_persons_own_aws_settings_take_no_part(tmp_path: Path):
    profile = tmp_path / "config"
    profile.write_text("[profile mine]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n")
    mine = {
        "AWS_PROFILE": "mine",
        "AWS_CONFIG_FILE": str(profile),
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    }
    with running(tmp_path / "state", **mine, HTTP_PROXY="http://127.0.0.1:1") as run:
        shop = Shop(run.address)
        give(shop, "u1")
        shop.close()


def test_the_clock_travels_and_comes_back(real_time: Shop):
    shop = real_time
    ahead = shop.post("/_local/clock", {"ahead": "P2DT3H"})
    assert ahead.json()["ahead_seconds"] == 51 * 3600
    assert shop.post("/_local/clock", {"ahead": "P2DT3H"}).json()["ahead_seconds"] == 51 * 3600, (
        "of the real time"
    )
    assert shop.post("/_local/clock", {"ahead": "soon"}).json()["errors"][0]["field"] == "ahead"
    shop.clock("2031-02-03T04:05:06Z")
    assert shop.get("/_local/clock").json()["now"].startswith("2031-02-03T04:05:")
    shop.clock(None)
    assert shop.get("/_local/clock").json()["ahead_seconds"] == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"{}", b'{"now": 5}', b'{"now": "soon"}', b'{"now": "2027-01-01T00:00:00"}',
     b'{"now": "1970-01-01T00:00:00Z"}', b'{"now": "9999-01-01T00:00:00Z"}', b"[" * 100_000],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(shop: Shop, body: bytes):
    answer = shop.post("/_local/clock", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "now"


@pytest.mark.parametrize("timeout", ["x", "-1", "601", "nan"])
def test_a_wait_that_is_none_is_refused(shop: Shop, timeout: str):
    assert shop.get(f"/_local/idle?timeout={timeout}").status_code == 400


def test_an_unknown_schedule_is_404(shop: Shop):
    answer = shop.post("/_local/schedules/never/run")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_was_accepted_is_worked_off_when_idle_says_so(shop: Shop):
    """A gift is a change of the ledger, told over the bus, heard by the timeline through a queue."""
    names = [f"busy-{number}" for number in range(30)]
    for name in names:
        give(shop, name)
    shop.idle()
    for name in names:
        [entry, _] = shop.get(f"/v1/customers/{name}/timeline").json()["data"]
        assert (entry["kind"], entry["details"]["points"]) == ("points", 7)


def test_schedules_are_listed_and_can_be_run(shop: Shop):
    [tick] = [
        each for each in shop.get("/_local/schedules").json()["data"] if each["name"] == "campaigns_tick"
    ]
    assert tick["expression"] == "rate(1 minute)"
    shop.run_schedule("campaigns_tick")


def test_the_mailbox_is_a_page_and_a_list(shop: Shop):
    assert isinstance(shop.mails(), list)
    page = shop.get("/_local/mailbox", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Mailbox" in page.text


def test_the_local_doors_are_not_part_of_the_app():
    source = (ROOT / "app.py").read_text() + "".join(
        path.read_text() for path in (ROOT / "chalicelib").rglob("*.py")
    )
    assert "/_local/" not in source.replace("`POST /_local/clock`", "")
    assert "import local" not in source


def test_children_never_see_the_terminals_ctrl_c(tmp_path: Path):
    run = LocalRun(tmp_path).await_ready()
    assert os.getsid(run.emulator_pid()) != os.getsid(run.process.pid)
    assert run.stop() == 0
