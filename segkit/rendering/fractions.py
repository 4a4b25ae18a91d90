"""Numbers with a fraction, for ClickHouse, which reads them in binary."""

from __future__ import annotations

import re

from sqlglot import exp

from segkit.rendering.forms import call, cast, number, string

_MOST_DIGITS = 15  # of a decimal that is the same number in binary and back
_FRACTION = re.compile(r"(\d+)\.(\d+)")
_EXACT = (exp.Add, exp.Sub, exp.Mul, exp.EQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def in_decimal(tree: exp.Expression) -> None:
    """Fractions beside an operator as decimals, so that 0.10 + 0.20 is 0.30; one of several is compared in binary."""
    for literal in list(tree.find_all(exp.Literal)):
        found = None if literal.is_string else _FRACTION.fullmatch(literal.this)
        if found is None:
            continue
        user = literal.find_ancestor(*_EXACT, exp.In, exp.Func)
        if isinstance(user, exp.In) and not isinstance(user.this, exp.Cast):
            user.set("this", cast(user.this, "double"))
        elif isinstance(user, _EXACT) and len(found[1] + found[2]) <= _MOST_DIGITS:
            literal.replace(call("toDecimal128", string(literal.this), number(len(found[2]))))
