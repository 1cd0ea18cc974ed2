//! Lists as Relay connections: <https://relay.dev/graphql/connections.htm>.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Object, OutputType, Result, SimpleObject, TypeName};
use compact_str::CompactString;

use super::{
    context::DEFAULT_PAGE,
    cursor::{Place, cursor},
    error::bad_input,
    filter::EntityFilter,
    snapshot::Snapshot,
};
use crate::twin::{
    entity::{Entity, Handle, Item, Variant},
    model::{Kind, Model},
    selection::Selection,
};

/// A type of GraphQL that stands for one kind of entity.
pub trait Listed: OutputType + Sized + 'static {
    type Model: Variant;
    /// The names of its connection and of that one's edges.
    const CONNECTION: &'static str;
    const EDGE: &'static str;

    fn new(snapshot: impl Into<Snapshot>, item: Arc<Item<Self::Model>>) -> Self;
    fn item(&self) -> &Item<Self::Model>;
}

/// What a list is taken from.
#[derive(Clone, Debug)]
pub enum Source {
    /// All of the kind in the city.
    City,
    /// Those of one district.
    District(CompactString),
    /// These, of one district, ordered by id.
    Handles(Vec<Handle>),
}

/// What a page holds for each of its entries in the count of complexity: `child` fields, for as many as may come.
pub fn list_cost(first: Option<i32>, child: usize) -> usize {
    1 + child.saturating_mul(first.unwrap_or(DEFAULT_PAGE).max(0) as usize)
}

/// The argument `first` within its bounds.
///
/// # Errors
/// `BAD_USER_INPUT` outside of 0 to `most`.
pub fn page_size(first: Option<i32>, most: i32) -> Result<usize> {
    match first {
        None => Ok(DEFAULT_PAGE.min(most) as usize),
        Some(first) if (0..=most).contains(&first) => Ok(first as usize),
        Some(first) => Err(bad_input("first", first, &format!("a whole number from 0 to {most}"))),
    }
}

/// A page of a list that is ordered by district id and then by id, both by bytes.
pub struct Connection<N: Listed> {
    snapshot: Snapshot,
    source: Source,
    selection: Selection,
    after: Option<Place>,
    entries: Vec<ListEdge<N>>,
    more: bool,
}

/// One entry of a list.
pub struct ListEdge<N>(N);

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether the list has entries after this page.
    pub has_next_page: bool,
    /// Whether the list has entries before this page.
    pub has_previous_page: bool,
    /// The cursor of the first entry of this page; null where it has none.
    pub start_cursor: Option<String>,
    /// The cursor of the last entry of this page, to be given as `after` for the next one; null where it has none.
    pub end_cursor: Option<String>,
}

impl<N: Listed> Connection<N> {
    /// The page that the arguments of a list ask for.
    pub fn new(
        snapshot: Snapshot,
        source: Source,
        filter: Option<&EntityFilter>,
        first: Option<i32>,
        after: Option<&str>,
        max_page: i32,
    ) -> Result<Self> {
        let first = page_size(first, max_page)?;
        let after = after.map(|after| Place::parse(N::Model::KIND, after)).transpose()?;
        let selection = filter.map(|filter| filter.selection_of(N::Model::KIND)).transpose()?.unwrap_or_default();
        let mut page = Self { snapshot, source, selection, after, entries: Vec::new(), more: false };
        let mut entries = Vec::with_capacity(first);
        let mut more = false;
        for item in page.matching(page.after.as_ref()).filter_map(N::Model::unwrap) {
            more = entries.len() == first;
            if more {
                break;
            }
            entries.push(ListEdge(N::new(page.snapshot.clone(), Arc::clone(item))));
        }
        page.entries = entries;
        page.more = more;
        Ok(page)
    }

    /// What the list holds after a place, in its order.
    fn matching<'a>(&'a self, after: Option<&'a Place>) -> impl Iterator<Item = &'a Entity> + 'a {
        let handles = self.lists().into_iter().flat_map(move |(district, list)| {
            let from = match after {
                None => 0,
                Some(after) => match district.map(|district| district.cmp(&after.district)) {
                    Some(std::cmp::Ordering::Less) => list.len(),
                    Some(std::cmp::Ordering::Greater) => 0,
                    Some(std::cmp::Ordering::Equal) | None => {
                        self.snapshot.rank(&list, &after.id).map_or_else(|rank| rank, |rank| rank + 1)
                    }
                },
            };
            (from..list.len()).map(move |at| list[at])
        });
        handles.filter_map(|handle| self.snapshot.entity(handle)).filter(|entity| self.selection.matches(entity))
    }

    /// The lists that it consists of, each with its district where there are several.
    fn lists(&self) -> Vec<(Option<&str>, Cow<'_, [Handle]>)> {
        let (kind, view) = (N::Model::KIND, &*self.snapshot);
        match &self.source {
            Source::Handles(handles) => vec![(None, Cow::Borrowed(handles))],
            Source::District(district) => vec![(None, Cow::Borrowed(view.list(kind, Some(district))))],
            Source::City => match kind {
                Kind::Bus | Kind::Station | Kind::Incident | Kind::Unit => {
                    vec![(None, Cow::Borrowed(view.list(kind, None)))]
                }
                Kind::District => vec![(None, view.districts().iter().map(|entry| entry.handle).collect())],
                _ => {
                    let districts = view.districts().iter().filter_map(|entry| {
                        let id = view.entity(entry.handle)?.id();
                        let wanted = self.selection.districts.as_ref().is_none_or(|ids| ids.contains(id));
                        wanted.then(|| (Some(id), Cow::Borrowed(entry.members.list(kind))))
                    });
                    districts.collect()
                }
            },
        }
    }
}

impl<N: Listed> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        N::CONNECTION.into()
    }
}

impl<N: Listed> TypeName for ListEdge<N> {
    fn type_name() -> Cow<'static, str> {
        N::EDGE.into()
    }
}

impl<N: Listed> ListEdge<N> {
    fn own_cursor(&self) -> String {
        let item = self.0.item();
        cursor(N::Model::KIND, item.district().unwrap_or_default(), item.id())
    }
}

/// A page of a list, in the form of Relay's connections. The list is ordered by district id and then by id, both by
/// bytes; what is listed in no district by id alone.
#[Object(name_type)]
impl<N: Listed> Connection<N> {
    /// The entries of this page, each with its cursor.
    async fn edges(&self) -> &[ListEdge<N>] {
        &self.entries
    }

    /// The entries of this page without their cursors.
    async fn nodes(&self) -> Vec<&N> {
        self.entries.iter().map(|entry| &entry.0).collect()
    }

    /// How to get the page after this one.
    async fn page_info(&self) -> PageInfo {
        let skips = |after| self.matching(None).next().is_some_and(|first| !Place::is_before(after, first));
        PageInfo {
            has_next_page: self.more,
            has_previous_page: self.after.as_ref().is_some_and(skips),
            start_cursor: self.entries.first().map(ListEdge::own_cursor),
            end_cursor: self.entries.last().map(ListEdge::own_cursor),
        }
    }

    /// How many entries the whole list has, on all of its pages. Counted only where it is asked for.
    async fn total_count(&self) -> i32 {
        let all = self.selection == Selection::default();
        let count =
            if all { self.lists().iter().map(|(_, list)| list.len()).sum() } else { self.matching(None).count() };
        i32::try_from(count).unwrap_or(i32::MAX)
    }
}

/// An entry of a list with its cursor.
#[Object(name_type)]
impl<N: Listed> ListEdge<N> {
    /// Where the entry stands in the list, opaque: given as `after`, the list goes on behind it, even when the entry
    /// itself is gone by then.
    async fn cursor(&self) -> String {
        self.own_cursor()
    }

    /// The entry itself.
    async fn node(&self) -> &N {
        &self.0
    }
}
