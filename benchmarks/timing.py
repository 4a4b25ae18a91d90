"""Interleaved timing: every round runs every contestant once, so that a noisy machine is noisy for all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Clock = Literal["wall", "cpu"]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work.

    `repeats` calls make one measurement of work that was warmed up before; None warms up, and repeats until it takes
    LONG_ENOUGH.
    """

    name: str
    run: Callable[[], object]
    repeats: int | None = 1


@dataclass
class Result:
    """Seconds a call, one entry a round."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def seconds(self, clock: Clock) -> float:
        """The median round."""
        return median(self.wall if clock == "wall" else self.cpu)

    def ratios(self, other: Result, clock: Clock) -> list[float]:
        """This contestant's time as a multiple of another's, round by round."""
        own, reference = (self.wall, other.wall) if clock == "wall" else (self.cpu, other.cpu)
        return [a / b for a, b in zip(own, reference, strict=True)]


LONG_ENOUGH = 0.02


def race(contestants: Sequence[Contestant], rounds: int) -> list[Result]:
    """Times the contestants in interleaved rounds, A B C A B C ...

    Both clocks are read: the wall's, and the CPU time of all threads of this process.
    """
    repeats = [_repeats(contestant) for contestant in contestants]
    results = [Result(contestant.name) for contestant in contestants]
    gc.collect()
    gc.freeze()  # what was imported before is nobody's garbage
    for _ in range(rounds):
        for contestant, count, result in zip(contestants, repeats, results, strict=True):
            wall, cpu = _measured(contestant.run, count)
            result.wall.append(wall)
            result.cpu.append(cpu)
    gc.unfreeze()
    return results


def _repeats(contestant: Contestant) -> int:
    """How many calls make one measurement."""
    if contestant.repeats is not None:
        return contestant.repeats
    contestant.run()
    wall, _ = _measured(contestant.run, 3)
    return max(1, round(LONG_ENOUGH / wall))


def _measured(run: Callable[[], object], count: int) -> tuple[float, float]:
    """Seconds a call, of the wall and of the CPU."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return wall / count, cpu / count
