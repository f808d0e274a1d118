"""`make demo`: one process that starts everything, keeps it running, and takes it down again.

    python -m embedded.demo [--state FOLDER] [--end-with-parent]

The environment variable PORT names the first port to try (8000).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from embedded import announcement, ports, tether
from embedded.commands import ROOT
from embedded.failures import CannotStart
from embedded.house import Address, House
from embedded.keeper import Keeper
from embedded.state import StateFolder


class StopWanted(Exception):
    """Somebody pressed Ctrl-C or sent a signal."""


class Wishes:
    """Signals are only noted; the main loop looks when it is safe to stop."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def pause(self, seconds: float) -> None:
        """Sleep in short steps. Raises StopWanted."""
        deadline = time.monotonic() + seconds
        while True:
            if self.count:
                raise StopWanted
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))


def open_house(state: StateFolder, keeper: Keeper, wishes: Wishes) -> None:
    wanted = int(os.environ.get("PORT", "8000"))
    with ports.listen(wanted) as listener:
        port = listener.getsockname()[1]
        address = Address(listener=listener.fileno(), url=f"http://localhost:{port}")
        if port != wanted:
            announcement.say(f"Port {wanted} is taken by another program; using {port}.")
        house = House(state.path, keeper=keeper, pause=wishes.pause)
        state.make_mark_keys()
        env = house.environment(url=address.url, keys=state.keys())
        with announcement.step("PostgreSQL and Valkey"):
            house.start_servers()
        with announcement.step("Tables"):
            house.manage("migrate", "--no-input", env=env)
        # A demo from before there was a list of past certificates has a chain, and gets another one with the list.
        if not (state.path / "c2pa" / "roots.pem").exists():
            with announcement.step("A chain of our own for Content Credentials"):
                house.manage("make_c2pa_chain", str(state.path / "c2pa"), "--replace", env=env)
        with announcement.step("The demo's programme (the first time, its clips are rendered)"):
            seeded = house.seed(env)
        with announcement.step("Web process, workers, beat: until a task has gone round"):
            house.start_rest(address, env)
            house.wait_until_healthy(env)
        state.note(f"process {os.getpid()}, {address.url}")
        announcement.welcome(url=address.url, seeded=seeded, state=state.path)
        while True:
            keeper.look()
            wishes.pause(0.2)


def run(folder: Path) -> int:
    wishes = Wishes()
    keeper = Keeper(announcement.note)
    status = 0
    try:
        with StateFolder(folder) as state:
            try:
                open_house(state, keeper, wishes)
            except StopWanted:
                announcement.say("\nClosing. (Ctrl-C again to leave a render in hand unfinished.)")
            finally:
                first = wishes.count
                keeper.stop(hurry=lambda: wishes.count > max(first, 1))
            announcement.say("Closed. The data stays in var/; `make demo` opens again.")
    except CannotStart as error:
        announcement.fail(str(error))
        status = 1
    return status


def main() -> None:
    parser = argparse.ArgumentParser(prog="embedded.demo", description="The whole house on one machine.")
    parser.add_argument("--state", type=Path, default=ROOT / "var", help="folder for data, mails and logs")
    parser.add_argument("--end-with-parent", action="store_true", help="close when the starting process dies")
    chosen = parser.parse_args()
    if chosen.end_with_parent:
        tether.end_with_parent(signal.SIGTERM)
    sys.exit(run(chosen.state.resolve()))


if __name__ == "__main__":
    main()
