//! Which memories say the same: those of the same text, and those whose vectors are all but the same, where the words agree.
//!
//! Vectors alone do not tell: to most models "is allergic" and "is not allergic" are as good as the same, and to a table of
//! words so is who owes whom.

use std::collections::{BTreeMap, HashMap};

use super::rotation::Rotation;
use super::unit::cosine;
use crate::words;

/// So many are compared each with each; of more, only those that agree in some part of their bits.
const EACH_WITH_EACH: usize = 1500;
/// How many bits agree by chance too seldom to matter. Of two vectors with a cosine of 0.95, one in ten bits differs: a part
/// of this size agrees in more than one of four, and there are dozens of parts.
const PART: usize = 12;
/// Of a part that very many agree in, only neighbors are compared.
const CROWD: usize = 200;

/// Words that turn a sentence round, in some languages.
const NEGATIONS: &[&str] = &[
    "not", "no", "never", "without", "none", "nobody", "nothing", "neither", "nor", "cannot", "isn", "aren", "wasn",
    "weren", "doesn", "don", "didn", "won", "can", "couldn", "wouldn", "shouldn", "hasn", "haven", "hadn", "t",
    "longer", "stopped", "nicht", "kein", "keine", "keinen", "keiner", "nie", "niemals", "ohne", "non", "ne", "pas",
    "jamais", "sans", "aucun", "nunca", "sin", "ni", "nada", "nadie", "não", "nem", "sem", "mai", "senza", "不", "没",
    "沒", "无", "無", "非", "未", "别", "勿",
];

/// Whether texts whose vectors are all but the same say the same: one has all words of the other, in their order, and what it
/// has more neither negates nor counts. A text without words says nothing that could be compared.
pub(super) fn agree(a: &str, b: &str) -> bool {
    let (a, b) = (words_of(a), words_of(b));
    let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut wanted = shorter.iter().peekable();
    for word in &longer {
        if wanted.next_if(|next| *next == word).is_none()
            && (NEGATIONS.contains(&word.as_str()) || word.chars().any(char::is_numeric))
        {
            return false;
        }
    }
    !shorter.is_empty() && wanted.peek().is_none()
}

/// The words of a text, in lower case; each character of a script without spaces is one.
fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in text.chars().flat_map(char::to_lowercase) {
        let alone = words::is_alone(character);
        if alone || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if alone || character.is_alphanumeric() {
            words.last_mut().expect("never empty").push(character);
        }
        if alone {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A memory that may say what another does.
pub(super) struct Fact {
    pub(super) id: i64,
    pub(super) timestamp: f64,
    pub(super) importance: f64,
    pub(super) category: String,
    /// Its text, as far as it matters: in lower case, with single spaces.
    pub(super) text: String,
    pub(super) uses: u32,
    pub(super) vector: Option<Vec<f32>>,
}

/// The ids of those that say the same, two and more together. All of a group say the same as its first; so it does not
/// grow from neighbor to neighbor into something else.
pub(super) fn groups(facts: &[Fact], threshold: f64, dimensions: usize) -> Vec<Vec<i64>> {
    let mut leader: Vec<usize> = (0..facts.len()).collect();
    let mut by_text: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, fact) in facts.iter().enumerate() {
        leader[at] = *by_text.entry((&fact.category, &fact.text)).or_insert(at);
    }
    if threshold <= 1.0 {
        let mut by_category: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, fact) in facts.iter().enumerate() {
            if leader[at] == at && fact.vector.is_some() {
                by_category.entry(&fact.category).or_default().push(at);
            }
        }
        for members in by_category.values() {
            merge_near(facts, members, threshold, dimensions, &mut leader);
        }
    }
    let mut groups: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for (at, fact) in facts.iter().enumerate() {
        // One that followed the same text follows where that one went.
        groups.entry(leader[leader[at]]).or_default().push(fact.id);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Lets each member follow the first before it that is so near and follows none.
fn merge_near(facts: &[Fact], members: &[usize], threshold: f64, dimensions: usize, leader: &mut [usize]) {
    let vector = |at: usize| facts[at].vector.as_deref().unwrap_or_default();
    let mut leads = vec![false; facts.len()];
    let mut join = |first: usize, second: usize, leader: &mut [usize]| {
        // One that others follow follows nobody: they would say what it says, and not what the first does.
        let free = leader[first] == first && leader[second] == second && !leads[second];
        if free && cosine(vector(first), vector(second)) >= threshold && agree(&facts[first].text, &facts[second].text)
        {
            leader[second] = first;
            leads[first] = true;
        }
    };
    if members.len() <= EACH_WITH_EACH {
        for (place, second) in members.iter().enumerate() {
            members[..place].iter().for_each(|first| join(*first, *second, leader));
        }
        return;
    }
    let rotation = Rotation::new(dimensions);
    let bits: Vec<Vec<bool>> = members
        .iter()
        .map(|at| {
            let mut turned = vector(*at).to_vec();
            rotation.turn(&mut turned);
            turned.iter().map(|value| *value > 0.0).collect()
        })
        .collect();
    for part in 0..dimensions.div_ceil(PART) {
        let mut alike: HashMap<&[bool], Vec<usize>> = HashMap::new();
        let range = part * PART..((part + 1) * PART).min(dimensions);
        for (bits, at) in bits.iter().zip(members) {
            alike.entry(&bits[range.clone()]).or_default().push(*at);
        }
        // In the order of the members, so that the outcome is always the same.
        let mut alike: Vec<Vec<usize>> = alike.into_values().filter(|alike| alike.len() > 1).collect();
        alike.sort_unstable();
        for alike in alike {
            for (place, second) in alike.iter().enumerate() {
                for first in &alike[place.saturating_sub(CROWD)..place] {
                    join(*first, *second, leader);
                }
            }
        }
    }
}
