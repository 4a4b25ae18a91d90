"""Predicates in the form of react-querybuilder, the de-facto query builder of the web, both ways.

A group is `{"combinator": "and", "not": false, "rules": [...]}`, a rule `{"field", "operator", "value", "valueSource"}`.
Without a combinator of the group, rules and combinators alternate, and `and` binds tighter than `or`.

A rule means here what its words say, two-valued; a muted rule or group is left out. What is unfinished, or says
something that segkit has no meaning for, is refused: to leave it out in silence would widen the segment.
"""

from segkit.react_querybuilder.reading import read
from segkit.react_querybuilder.writing import written

__all__ = ["read", "written"]
