"""What SQLite finds in a database file with its log or journal, in a copy of them: `look.py FILE` prints it as JSON."""

import hashlib
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

file = Path(sys.argv[1])


def short(rows):
    """As text where that is not too long to be printed."""
    text = repr(rows)
    return text if len(text) < 10000 else hashlib.sha256(text.encode()).hexdigest()


with tempfile.TemporaryDirectory() as folder:
    for end in ["", "-wal", "-journal"]:
        if Path(f"{file}{end}").exists():
            shutil.copy(f"{file}{end}", f"{folder}/copy{end}")
    connection = sqlite3.connect(f"{folder}/copy")
    ask = lambda sql: connection.execute(sql).fetchall()
    schema = [row for row in ask("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2") if row[1] != "synth_migrations"]
    schema = [row for row in schema if row[1] != "sqlite_autoindex_synth_migrations_1"]
    # What is virtual is in tables of its own, and an older SQLite than the one that made it may not open it.
    tables = [name for kind, name, sql in schema if kind == "table" and not sql.startswith("CREATE VIRTUAL")]
    told = {
        "versions": [row[0] for row in ask("SELECT version_num FROM alembic_version ORDER BY 1")]
        if "alembic_version" in tables
        else None,
        "integrity": ask("PRAGMA integrity_check")[0][0],
        "journal": ask("PRAGMA journal_mode")[0][0],
        "schema": schema,
        "rows": {table: short(ask(f'SELECT * FROM "{table}"')) for table in tables},
    }
    connection.close()
print(json.dumps(told))
