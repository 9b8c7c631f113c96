//! The options of a listing, in the form that crosses from JavaScript.

use serde::Deserialize;
use tsify::Tsify;

use crate::tables::Listing;

/// The direction of an order: smallest first or largest first.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Tsify)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortDirection {
    Asc,
    Desc,
}

/// How to list rows.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Paging<Order> {
    /// What to order by; the primary key by default.
    #[tsify(optional)]
    order_by: Option<Order>,
    /// By default `desc`, the newest or largest first; for `longTerm` `asc`, the smallest key first.
    #[tsify(optional)]
    direction: Option<SortDirection>,
    /// The maximum number of rows, from 1 to 1000; 50 by default.
    #[tsify(optional)]
    limit: Option<u32>,
    /// The cursor of the previous page.
    #[tsify(optional, type = "string | null")]
    cursor: Option<String>,
    /// Whether to count the rows that match the filter on all pages; false by default.
    #[serde(default)]
    #[tsify(optional)]
    total: bool,
}

impl<Order: Default> Paging<Order> {
    /// The listing of the rows that match the filter, with `default` as the default direction.
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
