//! Which facts say the same: found in slices, so that other calls pass between them, before anything is changed.
//!
//! What is found is a proposal: facts may have been changed since they were read. Whoever carries it out looks each of them
//! up again, and leaves those that read otherwise for the next time.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::duplicates::{Sketch, agree};
use super::super::item::Item;
use super::super::near::{NearGroups, Pairs};
use super::super::unit::cosine;
use super::super::vectors::Place;
use super::super::{Model, Recall};
use crate::db::ask;
use crate::error::Result;
use crate::tables::MemoryTable;

/// So many facts are read by one statement.
const READ_AT_ONCE: u32 = 256;

/// A fact as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) id: i64,
    pub(super) category: Arc<str>,
    /// Its text, as far as it matters.
    pub(super) text: Arc<str>,
}

/// A text as far as it matters: in lower case, with single spaces.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.to_lowercase()
}

/// The search for facts that say the same.
pub(in crate::recall) struct Plan {
    threshold: f64,
    /// When it was last gone on with, in Unix seconds.
    touched: f64,
    facts: Vec<Fact>,
    sketches: Vec<Sketch>,
    /// The first that says the same as each; itself where it is the first.
    leaders: Vec<u32>,
    stage: Stage,
}

enum Stage {
    /// Facts are read in the order of their ids, from this one on.
    Read {
        from: i64,
        by_text: HashMap<(Arc<str>, Arc<str>), u32>,
        classes: HashMap<(Arc<str>, u64), Vec<u32>>,
    },
    /// The vectors of one class after the other are compared: of one category, with the same negations and numbers. The
    /// places of the facts' vectors hold until vectors move.
    Compare {
        classes: Vec<Vec<u32>>,
        class: Option<Class>,
        places: Vec<Option<Place>>,
        moves: Option<u32>,
    },
    Done,
}

/// A class that is being compared.
struct Class {
    members: Vec<u32>,
    groups: NearGroups,
}

impl Plan {
    pub(super) fn new(threshold: f64) -> Self {
        let stage = Stage::Read { from: i64::MIN, by_text: HashMap::new(), classes: HashMap::new() };
        Self { threshold, touched: 0.0, facts: Vec::new(), sketches: Vec::new(), leaders: Vec::new(), stage }
    }

    /// Whether it looks for vectors of this cosine.
    pub(super) fn is_of(&self, threshold: f64) -> bool {
        self.threshold == threshold
    }

    /// When it was last gone on with, in Unix seconds.
    pub(super) fn touched(&self) -> f64 {
        self.touched
    }

    /// Goes on until the time is up, and says whether all is found.
    pub(super) fn step(&mut self, recall: &Recall<'_>, is_over: &mut dyn FnMut() -> bool) -> Result<bool> {
        self.touched = recall.db.now();
        let model = recall.model()?;
        loop {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Read { mut from, mut by_text, mut classes } => {
                    if from == i64::MIN {
                        // At once, for to grow while others wait takes longer than a slice.
                        let many: u32 = ask(recall.connection(), "SELECT count(*) FROM semantic_memories")?;
                        by_text.reserve(many as usize);
                    }
                    let is_last = self.read(recall, &mut from, &mut by_text, &mut classes, is_over)?;
                    self.stage = if is_last {
                        let classes: Vec<_> = classes.into_values().filter(|class| class.len() > 1).collect();
                        Stage::Compare { classes, class: None, places: Vec::new(), moves: None }
                    } else {
                        Stage::Read { from, by_text, classes }
                    };
                }
                Stage::Compare { mut classes, class, mut places, mut moves } => {
                    let Some(model) = &model else { continue };
                    let class = match class {
                        Some(class) => Some(class),
                        None => match classes.pop() {
                            Some(members) => self.begin_class(recall, model, members, &mut places, &mut moves)?,
                            None => return Ok(true),
                        },
                    };
                    let class = match class {
                        Some(class) => self.compare(recall, model, class, is_over)?,
                        None => None,
                    };
                    self.stage = Stage::Compare { classes, class, places, moves };
                }
                Stage::Done => return Ok(true),
            }
            if is_over() {
                return Ok(false);
            }
        }
    }

    /// Reads facts, and says whether there are no more. Another program may have put what is no text there: nobody can say
    /// whether two of those say the same.
    fn read(
        &mut self,
        recall: &Recall<'_>,
        from: &mut i64,
        by_text: &mut HashMap<(Arc<str>, Arc<str>), u32>,
        classes: &mut HashMap<(Arc<str>, u64), Vec<u32>>,
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
                self.take(id, category, &folded(content), by_text, classes);
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
        classes: &mut HashMap<(Arc<str>, u64), Vec<u32>>,
    ) {
        let at = self.facts.len() as u32;
        let (category, text): (Arc<str>, Arc<str>) = (category.into(), text.into());
        let first = *by_text.entry((category.clone(), text.clone())).or_insert(at);
        let mut sketch = Sketch::default();
        // Above 1 no cosine is.
        if first == at && self.threshold <= 1.0 {
            sketch = Sketch::of(&text);
            classes.entry((category.clone(), sketch.turns)).or_default().push(at);
        }
        self.leaders.push(first);
        self.sketches.push(sketch);
        self.facts.push(Fact { id, category, text });
    }

    /// Takes up the members of a class that have a vector; none where those are too few to compare.
    fn begin_class(
        &self,
        recall: &Recall<'_>,
        model: &Model,
        mut members: Vec<u32>,
        places: &mut Vec<Option<Place>>,
        moves: &mut Option<u32>,
    ) -> Result<Option<Class>> {
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
        Ok((members.len() > 1).then_some(Class { members, groups }))
    }

    /// Goes on with a class; gives it back where it is not done.
    fn compare(
        &mut self,
        recall: &Recall<'_>,
        model: &Model,
        mut class: Class,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Class>> {
        let Class { members, groups } = &mut class;
        let mut pairs = Candidates { plan: self, recall, model, members };
        if !groups.step(is_over, &mut pairs)? {
            return Ok(Some(class));
        }
        for (member, leader) in members.iter().zip(groups.leaders()) {
            self.leaders[*member as usize] = members[*leader as usize];
        }
        Ok(None)
    }

    /// What says the same, two and more together. All of a group say the same as its first; so it does not grow from
    /// neighbor to neighbor into something else.
    pub(super) fn groups(self) -> Vec<Vec<Fact>> {
        let mut groups: Vec<Vec<Fact>> = vec![Vec::new(); self.facts.len()];
        for (at, fact) in self.facts.into_iter().enumerate() {
            // One that followed the same text follows where that one went.
            groups[self.leaders[self.leaders[at] as usize] as usize].push(fact);
        }
        groups.retain(|group| group.len() > 1);
        groups
    }
}

/// The members of a class, two by two.
struct Candidates<'a> {
    plan: &'a Plan,
    recall: &'a Recall<'a>,
    model: &'a Model,
    members: &'a [u32],
}

impl Pairs for Candidates<'_> {
    fn may(&self, first: usize, second: usize) -> bool {
        let sketch = |member: usize| self.plan.sketches[self.members[member] as usize];
        sketch(first).may_agree(sketch(second))
    }

    fn belong(&mut self, first: usize, second: usize) -> Result<bool> {
        let fact = |member: usize| &self.plan.facts[self.members[member] as usize];
        let (first, second) = (fact(first), fact(second));
        if !agree(&first.text, &second.text) {
            return Ok(false);
        }
        let vector = |fact: &Fact| self.recall.vector(Item::new(MemoryTable::Semantic, fact.id).0, self.model);
        let (Some(first), Some(second)) = (vector(first)?, vector(second)?) else { return Ok(false) };
        Ok(cosine(&first, &second) >= self.plan.threshold)
    }
}
