//! Opening without what migrations need: a file that is where it should be, or a new one.

use super::Memory;
use crate::db::{Clock, Db, Durability, Location};
use crate::error::Result;
use crate::migrate::runner::{self, Need, Run};
use crate::migrate::{Direction, Revision, Step, bundled};

impl Memory {
    /// Opens a file that is at the heads of the bundled revisions and the app's own, given as file name and text; or an
    /// empty one, which it takes there. `None` where there is more to do; the file is then as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Db::open`]; `invalid_migration` where a file breaks the format.
    pub fn open(
        location: Location<'_>,
        durability: Durability,
        clock: Clock,
        migrations: &[(String, String)],
    ) -> Result<Option<Self>> {
        let Some(revisions) = in_order(bundled::with(migrations)?) else { return Ok(None) };
        let heads = heads(&revisions);
        let mut db = Db::open(location, durability, clock)?;
        let migrated = match runner::need(db.connection(), &heads, &mut revisions.iter())? {
            Need::Nothing => Vec::new(),
            // To rebuild a table is more than can be done here.
            Need::Creation if revisions.iter().all(|revision| !revision.up.contains("-- batch")) => {
                let step = |revision| Step { revision, direction: Direction::Up, heads: Vec::new() };
                let steps: Vec<Step<'_>> = revisions.iter().map(step).collect();
                runner::run(db.connection_mut(), &steps, &heads, &mut Run { clock, progress: &mut |_| {} })?
            }
            Need::Creation | Need::Migration => return db.close().map(|()| None),
        };
        Ok(Some(Self { db, migrated, heads }))
    }

    /// Where a file is that has all revisions applied: the ids, sorted.
    pub fn heads(&self) -> Vec<String> {
        self.heads.clone()
    }
}

/// The revisions so that each stands after what it builds on; nothing where that cannot be told from the ids alone, which
/// the graph can do, or say what is wrong.
fn in_order(mut waiting: Vec<Revision>) -> Option<Vec<Revision>> {
    let mut ordered: Vec<Revision> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_there = |id: &String| ordered.iter().any(|revision| revision.id == *id);
        let at = waiting.iter().position(|revision| {
            revision.revises.iter().chain(&revision.depends_on).all(is_there) && !is_there(&revision.id)
        })?;
        ordered.push(waiting.remove(at));
    }
    Some(ordered)
}

fn heads(revisions: &[Revision]) -> Vec<String> {
    let is_below = |id: &String| {
        revisions.iter().any(|revision| revision.revises.contains(id) || revision.depends_on.contains(id))
    };
    let mut heads: Vec<String> =
        revisions.iter().map(|revision| revision.id.clone()).filter(|id| !is_below(id)).collect();
    heads.sort();
    heads
}
