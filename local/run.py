"""One local run from the first line it prints to the last process it stops."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any
from urllib.request import urlopen

from chalicelib.shared import clock
from local import load, stack, welcome
from local.doors import PREFIX, Doors
from local.drive import Driver
from local.emulator import Emulator
from local.gateway import Gateway, Reply, Sent
from local.home import Home
from local.mailbox import Mailbox
from local.server import Answer, Server
from local.settings import Settings, Stop

DRAIN_SECONDS_MAX = 10
CLOCK_SECONDS_MAX = 10
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings) -> None:
    """Serve until somebody stops it."""
    home = Home(settings.state)
    with home.alone(), _stop_signals():
        server = Server(settings.port)  # before anything slow: a busy port is told at once
        try:
            _start_over_if_unfinished(home)
            welcome.say("Starting the embedded AWS ...")
            with Emulator(settings.emulator_python, home.emulator) as emulator:
                _stand(settings, home, server, emulator)
        except KeyboardInterrupt:
            is_half = home.notes().get("unfinished")
            welcome.say(
                "Stopped before the demo was loaded to its end: the next run starts over."
                if is_half
                else "Stopped. What was stored is kept for the next run."
            )
        finally:
            server.stop()


def train(settings: Settings) -> None:
    """Train recommendations on what is stored, beside a running service or alone, and say what came of it."""
    home = Home(settings.state)
    running = home.running()
    if running is not None:
        _train_beside(running)
        return
    notes = home.notes()
    if not notes:
        raise Stop("Nothing is stored yet: `make run` first.")
    if notes.get("unfinished"):
        raise Stop("The demo was not loaded to its end: `make run` loads it again and trains on it.")
    with home.alone(), _stop_signals():
        welcome.say("Starting the embedded AWS ...")
        with Emulator(settings.emulator_python, home.emulator) as emulator:
            stack.reach(emulator.endpoint)
            stack.stand("http://127.0.0.1")
            trained = load.train()
    _say_what_was_learned(trained, "The next `make run` recommends by it.")


def _train_beside(running: Mapping[str, Any]) -> None:
    if "environment" not in running:
        raise Stop("The service is still starting: train when it is ready.")
    stack.reach(running["endpoint"])
    os.environ |= running["environment"]
    address = running["address"]
    clock.travel(_ahead(address))
    _say_what_was_learned(load.train(), f"The service at {address} recommends by it from now on.")


def _ahead(address: str) -> timedelta:
    """How far a service has travelled in time: what was ordered there must not be in the future here."""
    try:
        with urlopen(f"{address}{PREFIX}/clock", timeout=CLOCK_SECONDS_MAX) as answer:  # noqa: S310  it is our own
            return timedelta(seconds=json.load(answer)["ahead_seconds"])
    except OSError as error:
        raise Stop(f"The service at {address} does not answer ({error}): train when it does.") from error


def _say_what_was_learned(trained: load.Trained, who_uses_it: str) -> None:
    welcome.say(
        f"Learned from {trained.lines:,} lines of orders what goes with {trained.items_with_neighbours:,} items,"
        f" and how soon {trained.items_bought_again:,} are bought again. {who_uses_it}"
    )


def _stand(settings: Settings, home: Home, server: Server, emulator: Emulator) -> None:
    welcome.say("Preparing tables, queues and the bus ...")
    stack.reach(emulator.endpoint)
    standing = stack.stand(server.address)
    mailbox = Mailbox(home.mailbox)
    mailbox.listen()  # before the driver starts: mail may be waiting in queues
    driver = Driver()
    with welcome.log_to(home.log):
        driver.start(standing.wires, standing.resources)
        try:
            demo = _furnish(settings, home, driver)
            home.tell(
                address=server.address, endpoint=emulator.endpoint, environment=dict(standing.environment)
            )
            server.start(_answer(Doors(driver, mailbox), driver))
            _serve(server, driver, emulator, demo)
        finally:
            driver.stop()


def _furnish(settings: Settings, home: Home, driver: Driver) -> str:
    """Load the demo that was asked for, unless something is stored already; answers which one is here."""
    here = home.notes().get("demo")
    if here is not None:
        if here != settings.demo:
            welcome.say(
                f"What is stored began with DEMO={here} and stays; `make reset` makes room for another."
            )
        return str(here)
    if settings.demo != "0":
        home.remember(unfinished=True)
        if settings.demo == "full":
            welcome.say("Loading every order: this takes a quarter of an hour and 3 GB of memory.")
        load.demo(settings.demo, driver)
    home.remember(unfinished=False, demo=settings.demo)
    return settings.demo


def _start_over_if_unfinished(home: Home) -> None:
    # Half of a demo is of no use, and nobody can have stored anything else yet.
    if home.notes().get("unfinished"):
        welcome.say("The demo was not loaded to its end last time: starting over.")
        home.clear()


def _serve(server: Server, driver: Driver, emulator: Emulator, demo: str) -> None:
    try:
        welcome.ready(server.address, demo)
        while emulator.is_running:
            time.sleep(0.5)
        raise Stop(f"The embedded AWS ended by itself; see {emulator.log}.")
    except KeyboardInterrupt:
        welcome.say("\nStopping ...")
        server.stop()
        # The emulator's streams live in its memory only: what they still hold would be lost.
        left = driver.settle(DRAIN_SECONDS_MAX)
        if left:
            welcome.say(
                f"Not everything could be finished ({', '.join(left)}); what is in queues goes on next time."
            )
        raise


def _answer(doors: Doors, driver: Driver) -> Answer:
    from app import app

    gateway = Gateway(app)

    def answer(sent: Sent) -> Reply:
        if sent.path == PREFIX or sent.path.startswith(f"{PREFIX}/"):
            return doors.handle(sent)
        reply = gateway.handle(sent)
        if sent.method != "GET":
            driver.nudge()
        return reply

    return answer


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM or a closed terminal interrupt once, wherever the run is; further ones do not disturb its end."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
