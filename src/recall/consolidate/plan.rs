//! Finds which facts have the same text and which are near each other, in slices, so that other calls run in between,
//! before anything is changed.
//!
//! The result is a proposal, because facts may have changed since they were read. The consolidation reads each of them
//! again and leaves changed ones for the next time.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::item::Item;
use super::super::near::NearGroups;
use super::super::same_text::normalised;
use super::super::unit::cosine;
use super::super::vectors::Place;
use super::super::{Model, Recall};
use crate::db::ask;
use crate::error::Result;
use crate::tables::MemoryTable;

/// How many facts one statement reads.
const READ_AT_ONCE: u32 = 256;

/// A fact as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) id: i64,
    pub(super) category: Arc<str>,
    /// Its text, normalised for comparison.
    pub(super) text: Arc<str>,
}

/// The groups that were found.
pub(super) struct Found {
    /// Groups of two or more facts of the same text.
    pub(super) same: Vec<Vec<Fact>>,
    /// Groups of two or more facts that are near each other; only the first of several with the same text is included.
    pub(super) similar: Vec<Vec<Fact>>,
}

/// The search for facts that are the same or near each other.
pub(in crate::recall) struct Plan {
    threshold: f64,
    /// When it was last continued, in Unix seconds.
    touched: f64,
    facts: Vec<Fact>,
    /// For each fact, the first with the same text; itself if it is the first.
    same: Vec<u32>,
    /// For each fact, the first that it is near; itself if there is none.
    similar: Vec<u32>,
    stage: Stage,
}

enum Stage {
    /// Facts are read in the order of their ids, from this id on.
    Read {
        from: i64,
        by_text: HashMap<(Arc<str>, Arc<str>), u32>,
        categories: HashMap<Arc<str>, Vec<u32>>,
    },
    /// The vectors of one category after another are compared. The places of the facts' vectors are valid until vectors
    /// move.
    Compare {
        categories: Vec<Vec<u32>>,
        category: Option<Category>,
        places: Vec<Option<Place>>,
        moves: Option<u32>,
    },
    Done,
}

/// The facts of a category that are being compared.
struct Category {
    members: Vec<u32>,
    groups: NearGroups,
}

impl Plan {
    pub(super) fn new(threshold: f64) -> Self {
        let stage = Stage::Read { from: i64::MIN, by_text: HashMap::new(), categories: HashMap::new() };
        Self { threshold, touched: 0.0, facts: Vec::new(), same: Vec::new(), similar: Vec::new(), stage }
    }

    /// Whether it searches with this threshold.
    pub(super) fn is_of(&self, threshold: f64) -> bool {
        self.threshold == threshold
    }

    /// When it was last continued, in Unix seconds.
    pub(super) fn touched(&self) -> f64 {
        self.touched
    }

    /// Continues until the time is up, and returns whether all is found.
    pub(super) fn step(&mut self, recall: &Recall<'_>, is_over: &mut dyn FnMut() -> bool) -> Result<bool> {
        self.touched = recall.db.now();
        let model = recall.model()?;
        loop {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Read { mut from, mut by_text, mut categories } => {
                    if from == i64::MIN {
                        // Reserved at once, because growing the map with many entries takes longer than a slice.
                        let many: u32 = ask(recall.connection(), "SELECT count(*) FROM semantic_memories")?;
                        by_text.reserve(many as usize);
                    }
                    let is_last = self.read(recall, &mut from, &mut by_text, &mut categories, is_over)?;
                    self.stage = if is_last {
                        let categories = categories.into_values().filter(|members| members.len() > 1).collect();
                        Stage::Compare { categories, category: None, places: Vec::new(), moves: None }
                    } else {
                        Stage::Read { from, by_text, categories }
                    };
                }
                Stage::Compare { mut categories, category, mut places, mut moves } => {
                    let Some(model) = &model else { continue };
                    let category = match category {
                        Some(category) => Some(category),
                        None => match categories.pop() {
                            Some(members) => self.begin_category(recall, model, members, &mut places, &mut moves)?,
                            None => return Ok(true),
                        },
                    };
                    let category = match category {
                        Some(category) => self.compare(recall, model, category, is_over)?,
                        None => None,
                    };
                    self.stage = Stage::Compare { categories, category, places, moves };
                }
                Stage::Done => return Ok(true),
            }
            if is_over() {
                return Ok(false);
            }
        }
    }

    /// Reads facts, and returns whether there are no more. It skips rows in which another program stored something that
    /// is not a text, because they cannot be compared.
    fn read(
        &mut self,
        recall: &Recall<'_>,
        from: &mut i64,
        by_text: &mut HashMap<(Arc<str>, Arc<str>), u32>,
        categories: &mut HashMap<Arc<str>, Vec<u32>>,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<bool> {
        let sql = "SELECT id, coalesce(category, ''), content FROM semantic_memories WHERE id >= ? ORDER BY id LIMIT ?";
        let mut statement = recall.connection().prepare_cached(sql)?;
        let mut rows = statement.query((*from, READ_AT_ONCE))?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            read += 1;
            let Some(next) = id.checked_add(1) else { return Ok(true) };
            *from = next;
            if let (Ok(category), Ok(content)) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str()) {
                self.take(id, category, &normalised(content), by_text, categories);
            }
            if is_over() {
                return Ok(false);
            }
        }
        Ok(read < READ_AT_ONCE)
    }

    fn take(
        &mut self,
        id: i64,
        category: &str,
        text: &str,
        by_text: &mut HashMap<(Arc<str>, Arc<str>), u32>,
        categories: &mut HashMap<Arc<str>, Vec<u32>>,
    ) {
        let at = self.facts.len() as u32;
        let (category, text): (Arc<str>, Arc<str>) = (category.into(), text.into());
        let first = *by_text.entry((category.clone(), text.clone())).or_insert(at);
        // No cosine is above 1.
        if first == at && self.threshold <= 1.0 {
            categories.entry(category.clone()).or_default().push(at);
        }
        self.same.push(first);
        self.similar.push(at);
        self.facts.push(Fact { id, category, text });
    }

    /// Starts with the members of a category that have a vector; none if they are too few to compare.
    fn begin_category(
        &self,
        recall: &Recall<'_>,
        model: &Model,
        mut members: Vec<u32>,
        places: &mut Vec<Option<Place>>,
        moves: &mut Option<u32>,
    ) -> Result<Option<Category>> {
        recall.read_index(model)?;
        let state = recall.state.borrow();
        let Some(vectors) = &state.vectors else { return Ok(None) };
        if *moves != Some(vectors.moves()) {
            *places = vectors.places(self.facts.iter().map(|fact| Item::new(MemoryTable::Semantic, fact.id).0));
            *moves = Some(vectors.moves());
        }
        let mut groups = NearGroups::new(model.dimensions, self.threshold);
        members.retain(|member| {
            let place = places[*member as usize];
            if let Some((codes, scale)) = place.map(|place| vectors.code(place)) {
                groups.push(codes, scale);
            }
            place.is_some()
        });
        Ok((members.len() > 1).then_some(Category { members, groups }))
    }

    /// Continues with a category; returns it if it is not done.
    fn compare(
        &mut self,
        recall: &Recall<'_>,
        model: &Model,
        mut category: Category,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Category>> {
        let Category { members, groups } = &mut category;
        let vector = |member: usize| {
            let fact = &self.facts[members[member] as usize];
            recall.vector(Item::new(MemoryTable::Semantic, fact.id).0, model)
        };
        let mut belong = |first: usize, second: usize| {
            let (Some(first), Some(second)) = (vector(first)?, vector(second)?) else { return Ok(false) };
            Ok(cosine(&first, &second) >= self.threshold)
        };
        if !groups.step(is_over, &mut belong)? {
            return Ok(Some(category));
        }
        for (member, leader) in members.iter().zip(groups.leaders()) {
            self.similar[*member as usize] = members[*leader as usize];
        }
        Ok(None)
    }

    /// The groups that were found. All facts of a group are the same as its first or near it, so that a group does not
    /// drift from neighbor to neighbor.
    pub(super) fn found(self) -> Found {
        let Self { facts, same, similar, .. } = self;
        let first = |(at, fact): (usize, &Fact)| (same[at] as usize == at).then(|| (similar[at], fact.clone()));
        let similar = grouped(facts.len(), facts.iter().enumerate().filter_map(first));
        Found { similar, same: grouped(facts.len(), same.iter().copied().zip(facts)) }
    }
}

/// Groups of two or more facts with the same leader.
fn grouped(many: usize, facts: impl Iterator<Item = (u32, Fact)>) -> Vec<Vec<Fact>> {
    let mut groups: Vec<Vec<Fact>> = vec![Vec::new(); many];
    facts.for_each(|(leader, fact)| groups[leader as usize].push(fact));
    groups.retain(|group| group.len() > 1);
    groups
}
