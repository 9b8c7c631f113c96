"""What the real Alembic and plain SQLite say of a file: `check.py FILE [ORIGINAL]` prints it as JSON.

With an ORIGINAL, both files' schema and rows are compared, table by table.
"""

import io
import json
import sqlite3
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

HERE = Path(__file__).parent


def alembic(file, run):
    out = io.StringIO()
    config = Config(stdout=out)
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{file}")
    run(config)
    return out.getvalue().strip()


def contents(file):
    connection = sqlite3.connect(file)
    schema = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    tables = [name for kind, name, _ in schema if kind == "table"]
    rows = {table: connection.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid').fetchall() for table in tables}
    integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return schema, rows, integrity


file, *original = sys.argv[1:]
schema, rows, integrity = contents(file)
told = {
    "current": alembic(file, command.current),
    "integrity": integrity,
    "rows": {table: len(found) for table, found in rows.items()},
}
if original:
    theirs = contents(original[0])
    told["same"] = {"schema": schema == theirs[0], "rows": rows == theirs[1]}
    # And Alembic can go on from here: down to nothing, and up again.
    alembic(file, lambda config: command.downgrade(config, "base"))
    alembic(file, lambda config: command.upgrade(config, "head"))
    told["upAgain"] = contents(file)[0] == theirs[0]
print(json.dumps(told))
