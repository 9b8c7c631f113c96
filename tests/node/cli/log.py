"""Leaves a write-ahead log beside a memory, as a program does that is killed: `log.py FILE SHAPE`."""

import os
import sqlite3
import sys

file, shape = sys.argv[1:]
connection = sqlite3.connect(file, isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA wal_autocheckpoint = 0")


def say(text, times=1):
    for _ in range(times):
        connection.execute("INSERT INTO turns (timestamp, user_input) VALUES (1.5, ?)", [text])


say("first", 3)
if shape == "begun anew":
    # What is in the log is in the file; the next commit begins it anew over the old frames.
    say("long " * 3000, 4)
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    say("after")
if shape == "cut off":
    # A change too large for the cache is written to the log before it is committed, which it never is.
    connection.execute("PRAGMA cache_size = 10")
    connection.execute("BEGIN")
    say("lost " * 3000, 40)
if shape == "shrunk":
    say("large " * 9000, 20)
    connection.execute("DELETE FROM turns")
    connection.execute("VACUUM")
if shape == "torn":
    say("torn " * 3000)
if shape == "open":
    print("ready", flush=True)
    sys.stdin.read()
if shape == "torn":
    with open(f"{file}-wal", "r+b") as log:
        log.seek(-50, os.SEEK_END)
        log.write(b"\xff")
os._exit(0)
