"""What the vendors document: for each dialect that nothing here can run, the functions and words its SQL may be made of.

A page stands for the functions named beside it. A test takes rendered SQL apart again, and holds every word of it against
these lists: what no page documents is refused by a row of the dialect table, and never written.

Each address was found in November 2026, in a copy of the page or in public code that cites it; indexes were not read
line by line.
"""

from __future__ import annotations

_REDSHIFT = "https://docs.aws.amazon.com/redshift/latest/dg"
_TSQL = "https://learn.microsoft.com/en-us/sql/t-sql/functions"
_ORACLE = "https://docs.oracle.com/en/database/oracle/oracle-database/23/sqlrf"
_TRINO = "https://trino.io/docs/current/functions"
_SNOWFLAKE = "https://docs.snowflake.com/en/sql-reference"
_DATABRICKS = "https://docs.databricks.com/sql/language-manual"

FUNCTIONS: dict[str, dict[str, str]] = {
    "redshift": {
        f"{_REDSHIFT}/r_STRPOS.html": "STRPOS",
        f"{_REDSHIFT}/c_SQL_functions.html": (
            "ABS AVG CAST COALESCE COUNT DATEDIFF EXTRACT FLOOR LEFT LENGTH MAX MD5 MIN NTILE NULLIF REGEXP_INSTR RIGHT ROUND"
            " ROW_NUMBER SUBSTR SUM TRANSLATE"
        ),
    },
    "trino": {
        f"{_TRINO}/datetime.html": "AT_TIMEZONE DATE_DIFF DAY_OF_WEEK EXTRACT WITH_TIMEZONE",
        f"{_TRINO}/list.html": (
            "ABS AVG CAST COALESCE COUNT FLOOR IS_NAN JSON_EXTRACT JSON_EXTRACT_SCALAR JSON_FORMAT LENGTH LOWER MAX MD5 MIN NTILE"
            " NULLIF REGEXP_LIKE ROUND ROW_NUMBER STARTS_WITH STRPOS SUBSTR SUM TO_HEX TO_UTF8 TRANSLATE TRY_CAST"
        ),
    },
    "tsql": {
        f"{_TSQL}/charindex-transact-sql": "CHARINDEX",
        f"{_TSQL}/openjson-transact-sql": "OPENJSON",
        f"{_TSQL}/functions": (
            "ABS AVG CAST COUNT COUNT_BIG DATEADD DATEDIFF DATEPART FLOOR JSON_QUERY JSON_VALUE LEFT LEN MAX MIN NTILE RIGHT ROUND"
            " ROW_NUMBER SUM TRANSLATE"
        ),
        "https://learn.microsoft.com/en-us/sql/t-sql/language-elements/language-elements-transact-sql": "COALESCE NULLIF",
    },
    "oracle": {
        f"{_ORACLE}/Single-Row-Functions.html": (
            "ABS CAST COALESCE EXTRACT FLOOR FROM_TZ INSTR LENGTH NANVL NULLIF NUMTODSINTERVAL ROUND SUBSTR TO_CHAR TO_DATE"
            " TO_NUMBER TO_TIMESTAMP TO_TIMESTAMP_TZ TRANSLATE TRUNC"
        ),
        f"{_ORACLE}/Functions.html": "AVG COUNT JSON_QUERY JSON_VALUE MAX MIN NTILE ROW_NUMBER SUM",
        f"{_ORACLE}/Conditions.html": "REGEXP_LIKE",
    },
    "snowflake": {
        f"{_SNOWFLAKE}/functions-all": (
            "ABS AVG CAST COALESCE CONTAINS CONVERT_TIMEZONE COUNT DATEDIFF DATE_PART DAYOFWEEKISO ENDSWITH FLOOR GET_PATH LENGTH"
            " MAX MD5 MIN NTILE NULLIF REGEXP_INSTR ROUND ROW_NUMBER STARTSWITH SUBSTR SUM TRANSLATE TRY_CAST TYPEOF WEEKISO"
        ),
    },
    "databricks": {
        f"{_DATABRICKS}/functions/try_variant_get.html": "TRY_VARIANT_GET",
        f"{_DATABRICKS}/sql-ref-functions-builtin-alpha.html": (
            "ABS AVG CAST COALESCE CONVERT_TIMEZONE COUNT CURRENT_TIMEZONE DATEDIFF ENDSWITH EXTRACT FILTER FLOOR FROM_JSON"
            " GET_JSON_OBJECT INSTR LEFT LENGTH MAX MD5 MIN NTILE NULLIF REGEXP_LIKE ROUND ROW_NUMBER SCHEMA_OF_VARIANT SIZE"
            " STARTSWITH SUBSTR SUM TO_JSON TRANSLATE TRY_PARSE_JSON WEEKDAY ZIP_WITH"
        ),
    },
}
"""Names of functions by the page that documents them. An index of all functions stands for those without a page above it."""

_EVERYWHERE = (
    "SELECT DISTINCT FROM WHERE GROUP BY ORDER HAVING AS ON JOIN LEFT UNION ALL WITH AND OR NOT IN IS NULL BETWEEN CASE WHEN THEN ELSE"
    " END ASC DESC OVER PARTITION ROWS PRECEDING UNBOUNDED CURRENT ROW"
)
WORDS: dict[str, dict[str, str]] = {
    "redshift": {
        f"{_REDSHIFT}/c_SQL_commands.html": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_REDSHIFT}/c_Supported_data_types.html": "BIGINT DATE DOUBLE PRECISION TIMESTAMP WITH TIME ZONE VARCHAR TRUE FALSE",
        f"{_REDSHIFT}/r_Dateparts_for_datetime_functions.html": "DAY DOW HOUR MONTH QUARTER WEEK YEAR MINUTE",
        f"{_REDSHIFT}/r_interval_literals.html": "INTERVAL",
        f"{_REDSHIFT}/r_AT_TIME_ZONE.html": "AT",
    },
    "trino": {
        "https://trino.io/docs/current/sql/select.html": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        "https://trino.io/docs/current/language/types.html": "BIGINT DATE DOUBLE TIMESTAMP WITH TIME ZONE VARCHAR TRUE FALSE",
        f"{_TRINO}/datetime.html": "INTERVAL DAY HOUR MINUTE MONTH QUARTER WEEK YEAR",
    },
    "tsql": {
        "https://learn.microsoft.com/en-us/sql/t-sql/queries/select-transact-sql": f"{_EVERYWHERE} TOP",
        "https://learn.microsoft.com/en-us/sql/t-sql/data-types/data-types-transact-sql": "BIGINT DATE DATETIME2 DATETIMEOFFSET FLOAT NVARCHAR",
        f"{_TSQL}/datepart-transact-sql": "DAY HOUR ISO_WEEK MINUTE MONTH QUARTER YEAR",
        "https://learn.microsoft.com/en-us/sql/t-sql/statements/collations": "COLLATE LATIN1_GENERAL_100_BIN2 LATIN1_GENERAL_100_CI_AS_SC",
    },
    "oracle": {
        f"{_ORACLE}/SELECT.html": f"{_EVERYWHERE} NULLS FIRST LAST FETCH ROWS ONLY",
        f"{_ORACLE}/Data-Types.html": "DATE DOUBLE PRECISION INT TIMESTAMP WITH TIME ZONE TRUE FALSE",
        f"{_ORACLE}/EXTRACT-datetime.html": "DAY HOUR MINUTE MONTH YEAR",
        f"{_ORACLE}/Datetime-Expressions.html": "AT",
        f"{_ORACLE}/COLLATE-Operator.html": "COLLATE BINARY",
    },
    "snowflake": {
        f"{_SNOWFLAKE}/constructs": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_SNOWFLAKE}/intro-summary-data-types": "BIGINT DATE DOUBLE TIMESTAMPNTZ TIMESTAMPTZ VARCHAR TRUE FALSE INTERVAL",
        f"{_SNOWFLAKE}/functions-date-time": "DAY HOUR MINUTE MONTH QUARTER YEAR",
    },
    "databricks": {
        f"{_DATABRICKS}/sql-ref-syntax-qry-select.html": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_DATABRICKS}/sql-ref-datatypes.html": "BIGINT DATE DOUBLE STRING TIMESTAMP TIMESTAMP_NTZ TRUE FALSE INTERVAL",
        f"{_DATABRICKS}/functions/extract.html": "DAY HOUR MINUTE MONTH QUARTER WEEK YEAR",
    },
}
"""Keywords, types and units, by the page that documents them."""


def documented(dialect: str) -> frozenset[str]:
    """Every word that SQL of a dialect may be made of, apart from names, literals and punctuation.

    >>> "CHARINDEX" in documented("tsql"), "ILIKE" in documented("tsql")
    (True, False)
    """
    pages = (*FUNCTIONS[dialect].values(), *WORDS[dialect].values())
    return frozenset(word for page in pages for word in page.split())
