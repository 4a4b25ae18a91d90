"""Values like one that was never seen: other letters, blanks, accents, typing mistakes, short forms."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from segkit.display import number, seen
from segkit.errors import nearest
from segkit.findings.diagnosis.seen import may_be_told

_LISTED = 5
_FEW = 200
"""A column with more different values is not listed as what there is."""
_LONGEST = 60


def folded(text: str) -> str:
    """A text without what people overlook: case, blanks around it and doubled, accents.

    >>> folded("  Zürich  HB ")
    'zurich hb'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def alike(text: str, known: Mapping[str, int]) -> dict[str, int]:
    """Other values that look the same, the commonest first."""
    own = folded(text)
    found = {other: count for other, count in known.items() if other != text and own and folded(other) == own}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def near(text: str, known: Mapping[str, int]) -> dict[str, int]:
    """Values that may be meant: those that look the same, else short or long forms and likely typing mistakes."""
    if same := alike(text, known):
        return same
    meant = [other for other in known if _is_short(other, text) or _is_short(text, other)]
    found = dict.fromkeys([*meant, *nearest(text, known)][:3])
    return {other: known[other] for other in found}


def _is_short(short: str, long: str) -> bool:
    """Whether one text is the initials of another, or an abbreviation that it begins with."""
    words = folded(long).split()
    own = folded(short).replace(".", "")
    initials = "".join(word[0] for word in words)
    return 2 <= len(own) < len(long.strip()) and (own == initials or (len(own) <= 3 and "".join(words).startswith(own)))


def listed(values: Mapping[str, int], what: str) -> str:
    """Values with how often each occurs: what they are, but no addresses.

    >>> listed({"usa": 33, " USA": 43}, "contacts")
    "'usa' (33 contacts), ' USA' (43 contacts)"
    """
    told = [
        f"{seen(own, _LONGEST)!r} ({number(count)} {what if count != 1 else what.removesuffix('s')})"
        for own, count in values.items()
        if may_be_told(own)
    ]
    hidden = len(values) - len(told)
    shown = told[:_LISTED] + ([f"{len(told) - _LISTED} more"] if len(told) > _LISTED else [])
    return ", ".join([*shown, *([f"{hidden} that {'is' if hidden == 1 else 'are'} not shown"] if hidden else [])])


def there_is(known: Mapping[str, int] | None, what: str) -> str:
    """What values there are, where they are few."""
    if known is None or not 0 < len(known) <= _FEW:
        return ""
    commonest = dict(sorted(known.items(), key=lambda each: (-each[1], each[0]))[:_LISTED])
    return f"; the commonest of {number(len(known))} are {listed(commonest, what)}"
