-- One
-- Revision ID: a
-- Revises:
-- migrate:up
CREATE TABLE a (x);
-- migrate:down
DROP TABLE a;
%%%
-- Two
-- Revision ID: b
-- Revises: a
-- Branch Labels: app
-- migrate:up
-- migrate:down
%%%
-- Three
-- Revision ID: c
-- Revises: a
-- migrate:up
-- migrate:down
%%%
-- Merge
-- Revision ID: d
-- Revises: b, c
-- migrate:up
-- migrate:down
%%%
-- Its own
-- Revision ID: e
-- Revises:
-- Depends On: app
-- Squashes: x, e
-- migrate:up
-- migrate:down
