"""What the vendors document: for each dialect that nothing here can run, the functions and words its SQL may be made of.

A page stands for the words named beside it. A test takes rendered SQL apart again, and holds every word of it against these
lists: what no page documents is refused by a row of the dialect table, and never written. Raw SQL that was written in another
dialect may hold some more (`IN_RAW_SQL`), and is held against them when it is rendered.

Pages were read in November 2026, in copies of them: of Amazon, Microsoft and Trino in the repositories that the pages are made
of, of Snowflake, Oracle (23ai) and Databricks in copies that others keep. Amazon's repository ends in 2023, and Microsoft's pages
were of 2016 to 2023. `INDEXES` are pages where a word is only named, or that were not found: they say that it exists, not what it
does.
"""

from __future__ import annotations

_REDSHIFT = "https://docs.aws.amazon.com/redshift/latest/dg"
_TSQL = "https://learn.microsoft.com/en-us/sql/t-sql"
_ORACLE = "https://docs.oracle.com/en/database/oracle/oracle-database/23/sqlrf"
_TRINO = "https://trino.io/docs/current"
_SNOWFLAKE = "https://docs.snowflake.com/en/sql-reference"
_DATABRICKS = "https://docs.databricks.com/sql/language-manual"

FUNCTIONS: dict[str, dict[str, str]] = {
    "redshift": {
        f"{_REDSHIFT}/r_ABS.html": "ABS",
        f"{_REDSHIFT}/r_AVG.html": "AVG",
        f"{_REDSHIFT}/r_CAST_function.html": "CAST",
        f"{_REDSHIFT}/r_COUNT.html": "COUNT",
        f"{_REDSHIFT}/r_DATEDIFF_function.html": "DATEDIFF",
        f"{_REDSHIFT}/r_EXTRACT_function.html": "EXTRACT",
        f"{_REDSHIFT}/r_FLOOR.html": "FLOOR",
        f"{_REDSHIFT}/r_LEFT.html": "LEFT RIGHT",
        f"{_REDSHIFT}/r_LEN.html": "LENGTH",
        f"{_REDSHIFT}/r_MAX.html": "MAX",
        f"{_REDSHIFT}/r_MD5.html": "MD5",
        f"{_REDSHIFT}/r_MIN.html": "MIN",
        f"{_REDSHIFT}/r_NULLIF_function.html": "NULLIF",
        f"{_REDSHIFT}/r_NVL_function.html": "COALESCE",
        f"{_REDSHIFT}/REGEXP_INSTR.html": "REGEXP_INSTR",
        f"{_REDSHIFT}/r_ROUND.html": "ROUND",
        f"{_REDSHIFT}/r_STRPOS.html": "STRPOS",
        f"{_REDSHIFT}/r_SUBSTR.html": "SUBSTR",
        f"{_REDSHIFT}/r_SUM.html": "SUM",
        f"{_REDSHIFT}/r_TRANSLATE.html": "TRANSLATE",
        f"{_REDSHIFT}/r_WF_NTILE.html": "NTILE",
        f"{_REDSHIFT}/r_WF_ROW_NUMBER.html": "ROW_NUMBER",
    },
    "trino": {
        f"{_TRINO}/functions/binary.html": "MD5 TO_HEX",
        f"{_TRINO}/functions/conditional.html": "COALESCE NULLIF",
        f"{_TRINO}/functions/conversion.html": "CAST TRY_CAST",
        f"{_TRINO}/functions/datetime.html": "AT_TIMEZONE DATE_DIFF DAY_OF_WEEK EXTRACT WITH_TIMEZONE",
        f"{_TRINO}/functions/json.html": "JSON_EXTRACT JSON_EXTRACT_SCALAR JSON_FORMAT",
        f"{_TRINO}/functions/math.html": "ABS FLOOR IS_NAN ROUND",
        f"{_TRINO}/functions/regexp.html": "REGEXP_LIKE",
        f"{_TRINO}/functions/string.html": "LENGTH LOWER STARTS_WITH STRPOS SUBSTR TO_UTF8 TRANSLATE",
        f"{_TRINO}/functions/window.html": "NTILE ROW_NUMBER",
        f"{_TRINO}/functions/aggregate.html": "AVG COUNT MAX MIN SUM",
    },
    "tsql": {
        f"{_TSQL}/functions/charindex-transact-sql": "CHARINDEX",
        f"{_TSQL}/functions/count-big-transact-sql": "COUNT_BIG",
        f"{_TSQL}/functions/dateadd-transact-sql": "DATEADD",
        f"{_TSQL}/functions/datediff-transact-sql": "DATEDIFF",
        f"{_TSQL}/functions/json-query-transact-sql": "JSON_QUERY",
        f"{_TSQL}/functions/json-value-transact-sql": "JSON_VALUE",
        f"{_TSQL}/functions/left-transact-sql": "LEFT",
        f"{_TSQL}/functions/len-transact-sql": "LEN",
        f"{_TSQL}/functions/ntile-transact-sql": "NTILE",
        f"{_TSQL}/functions/openjson-transact-sql": "OPENJSON",
        f"{_TSQL}/functions/right-transact-sql": "RIGHT",
        f"{_TSQL}/functions/round-transact-sql": "ROUND",
        f"{_TSQL}/functions/sum-transact-sql": "SUM",
        f"{_TSQL}/functions/translate-transact-sql": "TRANSLATE",
        f"{_TSQL}/functions/functions": ("ABS AVG CAST COUNT DATEPART FLOOR MAX MIN ROW_NUMBER"),
        f"{_TSQL}/language-elements/language-elements-transact-sql": "COALESCE NULLIF",
    },
    "oracle": {
        f"{_ORACLE}/COALESCE.html": "COALESCE",
        f"{_ORACLE}/EXTRACT-datetime.html": "EXTRACT",
        f"{_ORACLE}/FLOOR.html": "FLOOR",
        f"{_ORACLE}/FROM_TZ.html": "FROM_TZ",
        f"{_ORACLE}/INSTR.html": "INSTR",
        f"{_ORACLE}/JSON_VALUE.html": "JSON_VALUE",
        f"{_ORACLE}/LENGTH.html": "LENGTH",
        f"{_ORACLE}/NTILE.html": "NTILE",
        f"{_ORACLE}/NULLIF.html": "NULLIF",
        f"{_ORACLE}/NUMTODSINTERVAL.html": "NUMTODSINTERVAL",
        f"{_ORACLE}/Pattern-matching-Conditions.html": "REGEXP_LIKE",
        f"{_ORACLE}/ROUND-number.html": "ROUND",
        f"{_ORACLE}/SUBSTR.html": "SUBSTR",
        f"{_ORACLE}/TO_CHAR-datetime.html": "TO_CHAR",
        f"{_ORACLE}/TO_DATE.html": "TO_DATE",
        f"{_ORACLE}/TO_NUMBER.html": "TO_NUMBER",
        f"{_ORACLE}/TO_TIMESTAMP.html": "TO_TIMESTAMP",
        f"{_ORACLE}/TO_TIMESTAMP_TZ.html": "TO_TIMESTAMP_TZ",
        f"{_ORACLE}/TRANSLATE.html": "TRANSLATE",
        f"{_ORACLE}/TRUNC-date.html": "TRUNC",
        f"{_ORACLE}/Functions.html": "ABS AVG CAST COUNT MAX MIN ROW_NUMBER SUM",
    },
    "snowflake": {
        f"{_SNOWFLAKE}/functions/abs": "ABS",
        f"{_SNOWFLAKE}/functions/coalesce": "COALESCE",
        f"{_SNOWFLAKE}/functions/contains": "CONTAINS",
        f"{_SNOWFLAKE}/functions/convert_timezone": "CONVERT_TIMEZONE",
        f"{_SNOWFLAKE}/functions/date_part": "DATE_PART",
        f"{_SNOWFLAKE}/functions/datediff": "DATEDIFF",
        f"{_SNOWFLAKE}/functions/endswith": "ENDSWITH",
        f"{_SNOWFLAKE}/functions/floor": "FLOOR",
        f"{_SNOWFLAKE}/functions/get_path": "GET_PATH",
        f"{_SNOWFLAKE}/functions/length": "LENGTH",
        f"{_SNOWFLAKE}/functions/md5": "MD5",
        f"{_SNOWFLAKE}/functions/ntile": "NTILE",
        f"{_SNOWFLAKE}/functions/nullif": "NULLIF",
        f"{_SNOWFLAKE}/functions/regexp_instr": "REGEXP_INSTR",
        f"{_SNOWFLAKE}/functions/round": "ROUND",
        f"{_SNOWFLAKE}/functions/row_number": "ROW_NUMBER",
        f"{_SNOWFLAKE}/functions/startswith": "STARTSWITH",
        f"{_SNOWFLAKE}/functions/substr": "SUBSTR",
        f"{_SNOWFLAKE}/functions/sum": "SUM",
        f"{_SNOWFLAKE}/functions/translate": "TRANSLATE",
        f"{_SNOWFLAKE}/functions/try_cast": "TRY_CAST",
        f"{_SNOWFLAKE}/functions/typeof": "TYPEOF",
        f"{_SNOWFLAKE}/functions/year": "DAYOFWEEKISO WEEKISO",
        f"{_SNOWFLAKE}/functions-all": "AVG CAST COUNT MAX MIN",
    },
    "databricks": {
        f"{_DATABRICKS}/functions/regexp_like.html": "REGEXP_LIKE",
        f"{_DATABRICKS}/functions/startswith.html": "STARTSWITH",
        f"{_DATABRICKS}/sql-ref-functions-builtin-alpha.html": (
            "ABS AVG CAST COALESCE CONVERT_TIMEZONE COUNT CURRENT_TIMEZONE DATEDIFF ENDSWITH EXTRACT FILTER FLOOR FROM_JSON"
            " GET_JSON_OBJECT INSTR LEFT LENGTH MAX MD5 MIN NTILE NULLIF ROUND ROW_NUMBER SCHEMA_OF_VARIANT SIZE"
            " SUBSTR SUM TIMESTAMPADD TO_JSON TRANSLATE TRY_PARSE_JSON TRY_VARIANT_GET WEEKDAY ZIP_WITH"
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
        f"{_REDSHIFT}/c_SQL_commands.html": f"{_EVERYWHERE} LIMIT",
        f"{_REDSHIFT}/r_ORDER_BY_clause.html": "NULLS FIRST LAST",
        f"{_REDSHIFT}/r_Character_types.html": "VARCHAR",
        f"{_REDSHIFT}/r_Numeric_types201.html": "BIGINT DOUBLE PRECISION",
        f"{_REDSHIFT}/c_Supported_data_types.html": "DATE TIMESTAMP WITH TIME ZONE TRUE FALSE",
        f"{_REDSHIFT}/r_Dateparts_for_datetime_functions.html": "DAY DOW HOUR MONTH QUARTER WEEK YEAR MINUTE",
        f"{_REDSHIFT}/r_interval_literals.html": "INTERVAL",
        f"{_REDSHIFT}/r_AT_TIME_ZONE.html": "AT",
    },
    "trino": {
        f"{_TRINO}/sql/select.html": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_TRINO}/language/types.html": "BIGINT DATE DOUBLE TIMESTAMP WITH TIME ZONE VARCHAR TRUE FALSE",
        f"{_TRINO}/functions/datetime.html": "INTERVAL DAY HOUR MINUTE MONTH QUARTER WEEK YEAR",
    },
    "tsql": {
        f"{_TSQL}/queries/select-transact-sql": f"{_EVERYWHERE} TOP",
        f"{_TSQL}/data-types/data-types-transact-sql": "BIGINT DATE DATETIME2 DATETIMEOFFSET FLOAT NVARCHAR",
        f"{_TSQL}/functions/datepart-transact-sql": "DAY HOUR ISO_WEEK MINUTE MONTH QUARTER YEAR",
        f"{_TSQL}/statements/collations": "COLLATE LATIN1_GENERAL_100_BIN2 LATIN1_GENERAL_100_CI_AS_SC",
    },
    "oracle": {
        f"{_ORACLE}/SELECT.html": f"{_EVERYWHERE} NULLS FIRST LAST FETCH ROWS ONLY",
        f"{_ORACLE}/Data-Types.html": "DATE DOUBLE PRECISION INT TIMESTAMP WITH TIME ZONE TRUE FALSE",
        f"{_ORACLE}/EXTRACT-datetime.html": "DAY HOUR MINUTE MONTH YEAR",
        f"{_ORACLE}/Datetime-Expressions.html": "AT",
        f"{_ORACLE}/Floating-Point-Conditions.html": "NAN",
        f"{_ORACLE}/COLLATE-Operator.html": "COLLATE BINARY",
    },
    "snowflake": {
        f"{_SNOWFLAKE}/constructs": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_SNOWFLAKE}/data-types-numeric": "BIGINT DOUBLE",
        f"{_SNOWFLAKE}/data-types-datetime": "TIMESTAMPNTZ TIMESTAMPTZ INTERVAL",
        f"{_SNOWFLAKE}/intro-summary-data-types": "DATE VARCHAR TRUE FALSE",
        f"{_SNOWFLAKE}/functions-date-time": "DAY HOUR MINUTE MONTH QUARTER YEAR",
    },
    "databricks": {
        f"{_DATABRICKS}/sql-ref-syntax-qry-select.html": f"{_EVERYWHERE} NULLS FIRST LAST LIMIT",
        f"{_DATABRICKS}/sql-ref-datatypes.html": "BIGINT DATE DOUBLE STRING TIMESTAMP TIMESTAMP_NTZ TRUE FALSE INTERVAL",
        f"{_DATABRICKS}/functions/extract.html": "DAY HOUR MINUTE MONTH QUARTER WEEK YEAR",
    },
}
"""Keywords, types and units, by the page that documents them."""

INDEXES: frozenset[str] = frozenset(
    (
        f"{_REDSHIFT}/c_SQL_commands.html",
        f"{_REDSHIFT}/c_SQL_functions.html",
        f"{_REDSHIFT}/c_Supported_data_types.html",
        f"{_REDSHIFT}/r_Dateparts_for_datetime_functions.html",
        f"{_TRINO}/functions/list.html",
        f"{_TRINO}/sql/select.html",
        f"{_TSQL}/functions/functions",
        f"{_TSQL}/language-elements/language-elements-transact-sql",
        f"{_TSQL}/queries/select-transact-sql",
        f"{_TSQL}/data-types/data-types-transact-sql",
        f"{_TSQL}/functions/datepart-transact-sql",
        f"{_TSQL}/statements/collations",
        f"{_ORACLE}/Functions.html",
        f"{_ORACLE}/SELECT.html",
        f"{_ORACLE}/Single-Row-Functions.html",
        f"{_ORACLE}/Data-Types.html",
        f"{_SNOWFLAKE}/functions-all",
        f"{_SNOWFLAKE}/constructs",
        f"{_SNOWFLAKE}/intro-summary-data-types",
        f"{_SNOWFLAKE}/functions-date-time",
        f"{_DATABRICKS}/sql-ref-functions-builtin-alpha.html",
        f"{_DATABRICKS}/sql-ref-syntax-qry-select.html",
        f"{_DATABRICKS}/sql-ref-datatypes.html",
        f"{_DATABRICKS}/functions/extract.html",
    )
)
"""Pages whose words were not read about, line by line."""


_USUAL = "CEIL CONCAT EXP GREATEST LEAST LN LOWER LPAD LTRIM MOD POWER REPLACE RPAD RTRIM SIGN SQRT TRIM UPPER"
IN_RAW_SQL: dict[str, dict[str, str]] = {
    "redshift": {
        f"{_REDSHIFT}/c_SQL_functions.html": f"{_USUAL} DATE_TRUNC INITCAP POSITION REVERSE SPLIT_PART SUBSTRING",
        f"{_REDSHIFT}/c_Supported_data_types.html": "BOOLEAN CHAR DECIMAL INTEGER REAL SMALLINT",
        f"{_REDSHIFT}/r_patternmatching_condition_like.html": "LIKE ILIKE ESCAPE",
    },
    "trino": {
        f"{_TRINO}/functions/list.html": f"{_USUAL} DATE_TRUNC POSITION REVERSE SPLIT_PART SUBSTRING",
        f"{_TRINO}/language/types.html": "BOOLEAN CHAR DECIMAL INTEGER REAL SMALLINT",
        f"{_TRINO}/functions/conditional.html": "IF",
        f"{_TRINO}/functions/comparison.html": "DISTINCT LIKE ESCAPE",
    },
    "tsql": {
        f"{_TSQL}/functions/functions": (
            "CEILING CONCAT DATETRUNC EXP GREATEST IIF LEAST LOWER LTRIM POWER REPLACE REVERSE RTRIM SIGN SQRT SUBSTRING TRIM UPPER"
        ),
        f"{_TSQL}/data-types/data-types-transact-sql": "BIT CHAR DECIMAL INTEGER NUMERIC REAL SMALLINT VARCHAR",
        f"{_TSQL}/language-elements/like-transact-sql": "LIKE ESCAPE",
        f"{_TSQL}/queries/is-distinct-from-transact-sql": "DISTINCT",
    },
    "oracle": {
        f"{_ORACLE}/Single-Row-Functions.html": f"{_USUAL} INITCAP",
        f"{_ORACLE}/Data-Types.html": "CHAR DECIMAL NUMBER REAL SMALLINT VARCHAR2",
        f"{_ORACLE}/Pattern-matching-Conditions.html": "LIKE ESCAPE",
    },
    "snowflake": {
        f"{_SNOWFLAKE}/functions-all": (
            f"{_USUAL} CHARINDEX DATE_TRUNC EDITDISTANCE GREATEST_IGNORE_NULLS IFF INITCAP LEAST_IGNORE_NULLS POSITION REVERSE RIGHT"
            " SPLIT_PART SUBSTRING"
        ),
        f"{_SNOWFLAKE}/functions/is-distinct-from": "DISTINCT",
        f"{_SNOWFLAKE}/intro-summary-data-types": "BOOLEAN CHAR DECIMAL INT INTEGER SMALLINT TEXT",
        f"{_SNOWFLAKE}/functions/like": "LIKE ESCAPE",
        f"{_SNOWFLAKE}/functions/ilike": "ILIKE",
    },
    "databricks": {
        f"{_DATABRICKS}/sql-ref-functions-builtin-alpha.html": (
            f"{_USUAL} DATE_TRUNC DISTINCT IF INITCAP LEVENSHTEIN LOCATE POSITION REVERSE RIGHT SPLIT_PART SUBSTRING"
        ),
        f"{_DATABRICKS}/sql-ref-datatypes.html": "BOOLEAN DECIMAL FLOAT INT SMALLINT",
        f"{_DATABRICKS}/functions/ilike.html": "LIKE ILIKE ESCAPE",
    },
}
"""What raw SQL is often made of besides, by the page that documents it."""

_SIGNS = "( ) * + , - . / < <= <> = > >="
SIGNS = {
    "redshift": f"{_SIGNS} % ||",
    "trino": f"{_SIGNS} % ||",
    "tsql": f"{_SIGNS} %",
    "oracle": f"{_SIGNS} ||",
    "snowflake": f"{_SIGNS} % ||",
    "databricks": f"{_SIGNS} % || ->",
}
"""Operators and punctuation."""

CLOCKS: dict[str, dict[str, str]] = {
    "redshift": {
        f"{_REDSHIFT}/r_SYSDATE.html": "SYSDATE",
        f"{_REDSHIFT}/r_DATE_TRUNC.html": "DATE_TRUNC",
        f"{_REDSHIFT}/r_FROM_clause30.html": "CROSS",
    },
    "trino": {
        f"{_TRINO}/functions/datetime.html": "CURRENT_TIMESTAMP DATE_TRUNC",
        f"{_TRINO}/sql/select.html": "CROSS",
    },
    "tsql": {
        f"{_TSQL}/functions/sysdatetimeoffset-transact-sql": "SYSDATETIMEOFFSET",
        f"{_TSQL}/queries/from-transact-sql": "CROSS",
    },
    "oracle": {f"{_ORACLE}/SYSTIMESTAMP.html": "SYSTIMESTAMP", f"{_ORACLE}/SELECT.html": "CROSS"},
    "snowflake": {
        f"{_SNOWFLAKE}/functions/current_timestamp": "CURRENT_TIMESTAMP",
        f"{_SNOWFLAKE}/functions/date_trunc": "DATE_TRUNC",
        f"{_SNOWFLAKE}/functions/to_char": "TO_VARCHAR",
        f"{_SNOWFLAKE}/functions/to_timestamp": "TO_TIMESTAMP_TZ",
        f"{_SNOWFLAKE}/constructs/join": "CROSS",
    },
    "databricks": {
        f"{_DATABRICKS}/functions/current_timestamp.html": "CURRENT_TIMESTAMP",
        f"{_DATABRICKS}/functions/date_trunc.html": "DATE_TRUNC",
        f"{_DATABRICKS}/sql-ref-syntax-qry-select-join.html": "CROSS",
    },
}
"""What evergreen queries are made of besides, by the page that documents it."""


def clock_documented(dialect: str) -> frozenset[str]:
    """What evergreen SQL of a dialect may be made of besides."""
    return frozenset(word for page in CLOCKS[dialect].values() for word in page.split())


def documented(dialect: str) -> frozenset[str]:
    """Every word and sign that SQL of a dialect may be made of, apart from names and literals.

    >>> "CHARINDEX" in documented("tsql"), "ILIKE" in documented("tsql")
    (True, False)
    """
    pages = (*FUNCTIONS[dialect].values(), *WORDS[dialect].values(), SIGNS[dialect])
    return frozenset(word for page in pages for word in page.split())


def unread(dialect: str) -> list[str]:
    """The functions that are only named on a page that was read, or on none.

    >>> unread("redshift")
    []
    """
    return [word for page, words in FUNCTIONS[dialect].items() if page in INDEXES for word in words.split()]


def in_raw_sql(dialect: str) -> frozenset[str]:
    """Every word and sign that raw SQL of another dialect may be made of there: DISTINCT, in a condition, is that of IS DISTINCT
    FROM, which not all have.

    >>> "LIKE" in in_raw_sql("tsql"), "ILIKE" in in_raw_sql("tsql")
    (True, False)
    """
    own = (word for page in IN_RAW_SQL[dialect].values() for word in page.split())
    return (documented(dialect) - {"DISTINCT"}) | frozenset(own)
