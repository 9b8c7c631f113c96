//! How to list, as it crosses.

use serde::Deserialize;
use tsify::Tsify;

use crate::tables::Listing;

/// Smallest first, or largest first.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Tsify)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortDirection {
    Asc,
    Desc,
}

/// How to list.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Paging<Order> {
    /// What to order by; the primary key by default.
    #[tsify(optional)]
    order_by: Option<Order>,
    /// The largest or newest first, `desc`, by default; of `longTerm` the smallest key, `asc`.
    #[tsify(optional)]
    direction: Option<SortDirection>,
    /// How many rows at most, 1 to 1000; 50 by default.
    #[tsify(optional)]
    limit: Option<u32>,
    /// The cursor of the page before.
    #[tsify(optional, type = "string | null")]
    cursor: Option<String>,
    /// Whether to count what the filter finds on all pages; false by default.
    #[serde(default)]
    #[tsify(optional)]
    total: bool,
}

impl<Order: Default> Paging<Order> {
    /// The listing of what the filter finds, in this direction by default.
    pub(crate) fn of<Filter>(self, filter: Filter, default: SortDirection) -> Listing<Filter, Order> {
        Listing {
            filter,
            order: self.order_by.unwrap_or_default(),
            descending: self.direction.unwrap_or(default) == SortDirection::Desc,
            limit: self.limit,
            cursor: self.cursor,
            total: self.total,
        }
    }
}
