"""Asks the real Alembic about random graphs, and prints its answers as JSON for tests/graph.rs:

    target/python/bin/python tests/alembic/graph.py > tests/fixtures/graphs.json

The same Alembic gives the same file. A graph is `[revisions, labels, "heads | bases", states]`; a revision `[id, revises,
depends on, labels]`, its file being its place; `labels` those of each revision's branch; a state `[rows of alembic_version,
questions]`; a question `[command, argument, answer]`. Revisions in rows and answers are places in the list. An answer is

    "3 1"       these revisions, in this order ("." is the base)
    "3 1 | 3"   these steps, and the rows that are left
    "~3 1"      the same, in an order that hangs on Python's hashes
    "!word"     an error, or "3 1 | !crash" where the steps were found and their rows were not
"""

import itertools
import json
import os
import random
import sys
import types

# Alembic iterates over sets of strings, whose order is another one in each process.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})

import warnings

from alembic.runtime.migration import HeadMaintainer
from alembic.script import ScriptDirectory
from alembic.script import revision as alembic
from alembic.util import CommandError

warnings.simplefilter("ignore")

GRAPHS = 120
QUESTIONS = {"upgrade": 9, "downgrade": 9, "stamp": 4, "show": 5, "history": 5}
PREFIXES = ["abcd", "abcd12", "f00d", "", "", ""]
LABELS = ["app", "core", "abcdlabel", "feature", "net-work"]


class Script(alembic.Revision):
    """A revision with scripts that do nothing."""

    doc = None
    module = types.SimpleNamespace(upgrade=None, downgrade=None)


class Rows(HeadMaintainer):
    """The rows of alembic_version without a database under them."""

    def _insert_version(self, version):
        assert version not in self.heads
        self.heads.add(version)

    def _delete_version(self, version):
        self.heads.remove(version)

    def _update_version(self, from_, to_):
        assert to_ not in self.heads
        self.heads.remove(from_)
        self.heads.add(to_)


def make_graph(rand):
    """Revisions in an order that they could have been written in, or nearly so."""
    revisions = []
    labels = rand.sample(LABELS, rand.choice([0, 1, 2, 3]))
    merging, depending = rand.random() * 0.4, rand.choice([0, 0.15, 0.4])
    for _ in range(rand.randint(2, 15)):
        while True:
            id_ = rand.choice(PREFIXES) + "%0*x" % (length := rand.choice([3, 4, 6]), rand.randrange(16**length))
            if all(id_ != other[0] for other in revisions):
                break
        above = {parent for revision in revisions for parent in revision[1]}
        heads = [revision[0] for revision in revisions if revision[0] not in above]
        known = [revision[0] for revision in revisions]
        if not known or rand.random() < 0.1:
            parents = []
        elif len(heads) > 1 and rand.random() < merging:
            parents = rand.sample(heads, 2 if len(heads) == 2 or rand.random() < 0.8 else 3)
        else:
            parents = [rand.choice(heads if rand.random() < 0.75 else known)]
        depends = []
        while known and rand.random() < depending:
            dependency = rand.choice(known + [label for revision in revisions for label in revision[3]])
            if dependency not in depends:
                depends.append(dependency)
        labelled = [labels.pop()] if labels and rand.random() < (0.5 if not parents else 0.25) else []
        revisions.append([id_, parents, depends, labelled])
    if rand.random() < 0.5:
        at = rand.randrange(len(revisions))
        revisions.insert(0, revisions.pop(at))
    return revisions


class Alembic:
    def __init__(self, revisions):
        self.place = {revision[0]: str(at) for at, revision in enumerate(revisions)}
        self.map = alembic.RevisionMap(lambda: [Script(id_, up, deps, labels) for id_, up, deps, labels in revisions])
        self.script = ScriptDirectory.__new__(ScriptDirectory)
        self.script.revision_map = self.map
        self.map.heads
        self.scripts = [self.map.get_revision(revision[0]) for revision in revisions]

    def ancestors(self, ids):
        return {found.revision for found in self.map._get_ancestor_nodes(self.map.get_revisions(tuple(ids)))}

    def tips(self, ids):
        """Those that have nothing of the others upon them."""
        return sorted(id_ for id_ in ids if all(id_ == other or id_ not in self.ancestors([other]) for other in ids))

    def orders(self):
        """The orders that the dependencies of each revision, a set to Alembic, could come in."""
        sets = [script for script in self.scripts if len(script._normalized_resolved_dependencies) > 1]
        for script in sets:
            script._normalized_resolved_dependencies = tuple(
                sorted(script._normalized_resolved_dependencies, key=lambda id_: int(self.place[id_]))
            )
        every = [list(itertools.permutations(script._normalized_resolved_dependencies)) for script in sets]
        choices = list(itertools.islice(itertools.product(*every), 3000))
        for choice in random.Random(1).sample(choices, min(len(choices), 40)):
            for script, order in zip(sets, choice):
                script._normalized_resolved_dependencies = order
            yield

    def ask(self, command, argument, rows):
        answers = [self.ask_once(command, argument, rows) for _ in self.orders()]
        same = all(answer == answers[0] for answer in answers)
        return answers[0] if same else "~" + answers[0]

    def ask_once(self, command, argument, rows):
        try:
            return getattr(self, command)(argument, tuple(rows))
        except (CommandError, alembic.RevisionError) as error:
            cause = error.__cause__ if isinstance(error.__cause__, alembic.RevisionError) else error
            return "!" + self.word(cause)
        except (AssertionError, KeyError, AttributeError, TypeError, ValueError, IndexError):
            return "!crash"

    @staticmethod
    def word(error):
        if isinstance(error, alembic.MultipleHeads):
            return "heads"
        if isinstance(error, alembic.RangeNotAncestorError):
            return "range"
        message = str(error)
        for word, begin in {
            "prefix": "Multiple revisions start",
            "unknown": "No such",
            "branch": "Revision ",
            "walk": "Ambiguous",
            "far": "Relative revision",
            "too-far": "Walked too far",
            "filtered": "Not a valid downgrade target",
            "overlap": "Requested revision",
        }.items():
            if message.startswith(begin):
                return word
        raise error

    def list(self, found):
        def name(revision):
            return self.place[revision] if isinstance(revision, str) else self.place[revision.revision]

        return " ".join("." if each in (None, "base") else name(each) for each in found)

    def steps(self, steps, rows, show=True):
        order = self.list([step.revision for step in steps]) + " | " if show else ""
        maintainer = Rows(None, rows)
        try:
            for step in steps:
                maintainer.update_to_step(step)
        except (AssertionError, KeyError, IndexError):
            return order + "!crash"
        return order + self.list(sorted(maintainer.heads, key=lambda id_: int(self.place[id_])))

    def upgrade(self, target, rows):
        return self.steps(self.script._upgrade_revs(target, rows), rows)

    def downgrade(self, target, rows):
        return self.steps(self.script._downgrade_revs(target, rows), rows)

    def stamp(self, targets, rows):
        return self.steps(self.script._stamp_revs(tuple(targets.split()), rows), rows, show=False)

    def show(self, symbol, rows):
        return self.list(self.map.get_revisions(rows if symbol == "current" else symbol))

    def history(self, range_, rows):
        base, head = range_.split(":")
        # As command.history has it.
        if head == "current":
            head = rows
        elif base == "current":
            base = rows
        return self.list(self.script.walk_revisions(base=base or "base", head=head or "heads"))


def symbol(rand, revisions):
    ids = [revision[0] for revision in revisions]
    labels = [label for revision in revisions for label in revision[3]]
    number = rand.choice([1, 1, 1, 2, 2, 3, 5])
    id_ = rand.choice(ids)
    prefix = id_[: rand.randint(1, len(id_))]
    name = rand.choice([id_, id_, prefix, "head", "base"])
    label = rand.choice(labels * 6 or [id_] * 4) if rand.random() < 0.8 else rand.choice([id_, id_, prefix, "nosuch"])
    return rand.choice(
        [
            id_, id_, id_, prefix, prefix, "head", "heads", "base", label, "nosuch",
            f"+{number}", f"+{number}", f"-{number}", f"-{number}", f"{name}+{number}", f"{name}-{number}",
            f"{label}@head", f"{label}@heads", f"{label}@base", f"{label}@{rand.choice(ids)}", f"{label}@{prefix}",
            f"{label}@+{number}", f"{label}@-{number}", f"{label}@{name}+{number}", f"{label}@{name}-{number}",
        ]
    )  # fmt: skip


def argument(rand, command, revisions):
    one, other = symbol(rand, revisions), symbol(rand, revisions)
    while command in ("stamp", "show") and any(sign in one + other for sign in "+-") and rand.random() < 0.8:
        one, other = symbol(rand, revisions), symbol(rand, revisions)
    if command == "stamp":
        return one if rand.random() < 0.8 else f"{one} {other}"
    if command == "show":
        return one if rand.random() < 0.9 else "current"
    if command == "history":
        return rand.choice([f"{one}:{other}", f"{one}:", f":{one}", "current:", ":current", f"{one}:current", f"current:{one}", ":"])
    return one


def main():
    rand = random.Random(1)
    graphs = []
    for _ in range(GRAPHS):
        revisions = make_graph(rand)
        real = Alembic(revisions)
        ids = [revision[0] for revision in revisions]
        labels = [sorted(script.branch_labels) for script in real.scripts]
        states = []
        for chosen in [rand.choice([0, len(ids)]), rand.randint(1, 3), rand.randint(1, 3)]:
            rows = real.tips(real.ancestors(rand.sample(ids, min(chosen, len(ids)))))
            questions = []
            for command, count in QUESTIONS.items():
                asked = {argument(rand, command, revisions) for _ in range(count)}
                for each in sorted(asked):
                    questions.append([command, each, real.ask(command, each, rows)])
            states.append([real.list(rows), questions])
        heads = " | ".join(real.list(found) for found in (real.map.heads, real.map.bases))
        graphs.append([revisions, labels, heads, states])
    print("[" + ",\n".join(json.dumps(graph, separators=(",", ":")) for graph in graphs) + "]")


main()
