"""The words of the form, for reading and writing alike."""

from __future__ import annotations

import re

from segkit import nodes

ORDERS: dict[str, nodes.Ordering] = {"=": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
TEXTS: dict[str, nodes.TextCheck] = {"contains": "contains", "beginsWith": "startswith", "endsWith": "endswith"}
NEGATIVE = {
    "!=": "=",
    "doesNotContain": "contains",
    "doesNotBeginWith": "beginsWith",
    "doesNotEndWith": "endsWith",
    "notNull": "null",
    "notIn": "in",
    "notBetween": "between",
}
PLACEHOLDER = "~"
"""Stands for a field or operator that is not chosen yet."""
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
SPACE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript's `trim` removes."""
