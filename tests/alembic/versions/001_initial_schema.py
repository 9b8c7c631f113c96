"""Initial schema: the tables of Synth Mind, as a real Alembic makes them.

Revision ID: 001
Revises:
Create Date: 2026-01-01
"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

INDEXES = {
    "idx_episodes_timestamp": ("episodes", "timestamp"),
    "idx_episodes_event_type": ("episodes", "event_type"),
    "idx_turns_timestamp": ("turns", "timestamp"),
    "idx_uncertainty_resolved": ("uncertainty_log", "resolved"),
    "idx_semantic_category": ("semantic_memories", "category"),
    "idx_semantic_importance": ("semantic_memories", "importance"),
}


def texts(*names):
    return [sa.Column(name, sa.Text()) for name in names]


def upgrade():
    key = lambda: sa.Column("id", sa.Integer(), primary_key=True)
    time = lambda: sa.Column("timestamp", sa.Float())
    op.create_table("episodes", key(), time(), *texts("event_type", "content"), sa.Column("valence", sa.Float()), *texts("metadata"))
    op.create_table("long_term", sa.Column("key", sa.Text(), primary_key=True), *texts("value"), sa.Column("updated_at", sa.Float()))
    op.create_table("turns", key(), time(), *texts("user_input", "assistant_response", "metadata"))
    op.create_table(
        "uncertainty_log", key(), time(), *texts("user_message", "parsed_intent"), sa.Column("confidence_score", sa.Float()),
        *texts("context", "signals"), sa.Column("resolved", sa.Integer(), server_default="0"), *texts("resolution_pattern"),
    )
    op.create_table(
        "semantic_memories", key(), time(), *texts("content", "category"),
        sa.Column("importance", sa.Float(), server_default="0.5"), *texts("metadata"),
    )
    for name, (table, column) in INDEXES.items():
        op.create_index(name, table, [column])


def downgrade():
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for table in ("semantic_memories", "uncertainty_log", "turns", "long_term", "episodes"):
        op.drop_table(table)
