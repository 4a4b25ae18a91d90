"""Raw SQL that was written in another dialect: made of what the vendor documents, or refused."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import ErrorLevel, TokenType, exp
from sqlglot.dialects.dialect import Dialect

from segkit.errors import DialectError
from segkit.rendering.row import Sql
from segkit.rendering.vendors import FUNCTIONS, in_raw_sql

_VALUES = (TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.NUMBER, TokenType.RAW_STRING)


def checked(tree: Sql, own: str, dialect: str) -> Sql:
    """Raw SQL as it is written in a dialect. In its own one it is the analyst's; what nothing here can run, and another one
    was translated to, is held word by word against what the vendor documents.

    Raises:
        DialectError: it holds a word that stands on none of the vendor's lists.
    """
    if dialect == own or dialect not in FUNCTIONS:
        return tree
    told = tree.sql(dialect=dialect, unsupported_level=ErrorLevel.IGNORE)
    known = in_raw_sql(dialect)
    strange = list(dict.fromkeys(word for word in words(told, dialect) if word not in known))
    strange = ["["] if tree.find(exp.Bracket) else strange  # SQL Server would take [0] for a name
    if strange:
        raise DialectError(
            f"{dialect}: raw SQL of {own} asks for {', '.join(strange)}, which {dialect} is not known to have",
            fix=f"write it in the SQL that runs it: raw_sql(..., dialect={dialect!r})",
        )
    return tree


def words(sql: str, dialect: str) -> Iterator[str]:
    """The words and signs of SQL in a dialect's own reading, apart from literals and names, unless they call something.

    >>> list(words("[a] ILIKE N'x' OR [f]([b])", "tsql"))
    ['ILIKE', 'OR', 'F', '(', ')']
    """
    tokens = Dialect.get_or_raise(dialect).tokenize(sql)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        is_name = token.token_type is TokenType.IDENTIFIER
        if is_name and following is not None and following.token_type is TokenType.L_PAREN:
            yield token.text.upper()
        elif not is_name and token.token_type not in _VALUES:
            yield from token.text.upper().split()
