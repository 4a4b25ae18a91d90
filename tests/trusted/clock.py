"""No query asks for the time: all that the conformance cases mean, in every dialect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from cases_runner import all_cases, catalog_of, segment_of, spelled
from test_bad_input import CLOCKS, QUOTED, _rendered

from segkit import DialectError, SegkitError, dialects
from trusted.figure import Figure


def time_functions(count: int, _: list[str]) -> Iterator[Figure]:
    """So many of the conformance cases in every dialect."""
    cases = [case for case in all_cases() if "members" in case.case]
    cases = cases[:: max(1, len(cases) // count)]
    tried = wrong = refused = caught = 0
    for dialect in dialects():
        for case in cases:
            query = _rendered(case, dialect)
            if isinstance(query, str):
                tried += 1
                wrong += _asks(query)
            refused += isinstance(query, DialectError)
    for case in cases:
        others = {name: spelled(text) for name, text in case.given.get("segments", {}).items()}
        with suppress(SegkitError):
            own = segment_of(case).sql("postgres", catalog=catalog_of(case.given), segments=others, evergreen=True)
            caught += _asks("\n".join(line for line in own.splitlines() if not line.startswith("--")))
    yield Figure(
        "Time functions in compiled SQL",
        f"{len(dialects())} dialects",
        tried,
        wrong,
        "the same definitions on the warehouse's clock, which `evergreen=True` asks for",
        caught,
        f"{refused:,} were refused by a dialect",
    )


def _asks(query: str) -> bool:
    return CLOCKS.search(QUOTED.sub("''", query)) is not None
