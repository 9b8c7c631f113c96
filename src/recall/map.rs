//! Vectors on a plane, along the two directions in which they differ most, for people to look at.

use rusqlite::params;
use serde::Serialize;
use tsify::Tsify;

use super::Recall;
use super::embeddings::beginning;
use super::index::Texts;
use super::item::Item;
use super::reference::MemoryReference;
use crate::error::{Error, Result};

/// The most points of a map.
pub const MAX_POINTS: u32 = 5000;
const ROUNDS: usize = 24;

/// The most characters of a text on the map.
const MAX_TEXT: usize = 200;

/// A row on the map of a memory.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct MemoryMapPoint {
    /// The row's item.
    #[serde(skip)]
    pub item: Item,
    /// The reference to the row, as callers use it.
    pub reference: MemoryReference,
    /// The row's text, at most its first 200 characters.
    pub text: String,
    /// The coordinate along the first principal component, from -1 to 1.
    pub x: f64,
    /// The coordinate along the second principal component, from -1 to 1.
    pub y: f64,
}

impl Recall<'_> {
    /// The rows whose vectors were stored last, at most `limit`, by their first two principal components.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for a limit that is not from 1 to [`MAX_POINTS`].
    pub fn map(&self, limit: u32) -> Result<Vec<MemoryMapPoint>> {
        if !(1..=MAX_POINTS).contains(&limit) {
            return Err(Error::invalid_argument(format!("limit is {limit}; it must be from 1 to {MAX_POINTS}.")));
        }
        let Some(model) = self.model()? else { return Ok(Vec::new()) };
        let sql = "SELECT id FROM embeddings WHERE model = ? ORDER BY sequence DESC LIMIT ?";
        let mut statement = self.connection().prepare_cached(sql)?;
        let ids = statement.query_map(params![model.id, limit], |row| row.get(0))?;
        let mut rows: Vec<(i64, Vec<f32>)> = Vec::new();
        for id in ids {
            let id = id?;
            rows.extend(self.vector(id, &model)?.map(|vector| (id, vector)));
        }
        let mut middle = vec![0.0_f32; model.dimensions];
        for (_, vector) in &rows {
            add(&mut middle, vector, 1.0 / rows.len() as f32);
        }
        rows.iter_mut().for_each(|(_, vector)| add(vector, &middle, -1.0));
        let x = coordinates(&mut rows);
        let y = coordinates(&mut rows);
        let mut texts = Texts::of(self.connection());
        let mut points = Vec::with_capacity(rows.len());
        for ((id, _), (x, y)) in rows.iter().zip(x.into_iter().zip(y)) {
            let item = Item(*id);
            if let Some(reference) = self.reference(item)? {
                let text = texts.read(item)?.unwrap_or_default();
                let text = beginning(&text, MAX_TEXT).to_owned();
                points.push(MemoryMapPoint { item, reference, text, x, y });
            }
        }
        Ok(points)
    }
}

/// The coordinates of the rows along the direction in which they differ most, found by power iteration. The direction
/// is removed from the rows.
fn coordinates(rows: &mut [(i64, Vec<f32>)]) -> Vec<f64> {
    let Some((_, first)) = rows.first() else { return Vec::new() };
    // An arbitrary start that is always the same.
    let mut direction: Vec<f32> = (0..first.len()).map(|at| ((at * 37 % 101) as f32 - 50.0) / 50.0 + 0.01).collect();
    for _ in 0..ROUNDS {
        normalise(&mut direction);
        let mut next = vec![0.0; direction.len()];
        for (_, row) in &*rows {
            add(&mut next, row, product(row, &direction));
        }
        direction = next;
    }
    normalise(&mut direction);
    let along: Vec<f32> = rows.iter().map(|(_, row)| product(row, &direction)).collect();
    for ((_, row), along) in rows.iter_mut().zip(&along) {
        add(row, &direction, -along);
    }
    let furthest = along.iter().fold(f32::MIN_POSITIVE, |furthest, along| furthest.max(along.abs()));
    along.into_iter().map(|along| f64::from(along / furthest)).collect()
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f32], what: &[f32], times: f32) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * times;
    }
}

fn normalise(vector: &mut [f32]) {
    let length = product(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|value| *value /= length);
}
