//! `near` and `search`: entities of any kind by where they are and by what they are called.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::{
    connection::{list_cost, page_size},
    context::{max_page, snapshot},
    entity::TwinEntity,
    enums::EntityKind,
    error::bad_input,
    filter::NearInput,
};
use crate::twin::{
    entity::{Entity, parse_global_id},
    model::Kind,
    selection::distance,
};

/// The most characters of a text to search for: ids have at most 256 bytes.
const MAX_TEXT: usize = 256;

/// What lies near a point.
#[derive(SimpleObject)]
pub struct NearbyEntity {
    /// How far it is from the point, in metres; a road edge by the nearest point of its geometry.
    pub distance: f64,
    /// What it is.
    pub entity: TwinEntity,
}

/// What is found by place or by name.
#[derive(Default)]
pub struct SearchQueries;

/// What is found by place or by name.
#[Object]
impl SearchQueries {
    /// What lies within a distance of a point, the nearest first; what is equally near in the order of `state.full`.
    /// What has no position is near nothing.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn near(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The point: degrees north, in [-90, 90].")] latitude: f64,
        #[graphql(desc = "The point: degrees east, in [-180, 180].")] longitude: f64,
        #[graphql(desc = "The distance in metres, above 0.")] radius: f64,
        #[graphql(desc = "Only these kinds; all where it is absent.")] kinds: Option<Vec<EntityKind>>,
        #[graphql(desc = "The most entities: from 0 to the server's `GRAPHQL_MAX_PAGE` (1000 unless set); 100 where \
            it is absent.")]
        first: Option<i32>,
    ) -> Result<Vec<NearbyEntity>> {
        let first = page_size(first, max_page(ctx))?;
        let circle = NearInput { latitude, longitude, radius }.circle("")?;
        let snapshot = snapshot(ctx)?;
        let kinds = kinds_of(kinds);
        let measured = snapshot.entities(&kinds).map(|entity| (distance(entity, circle.center), entity));
        let mut near: Vec<_> = measured.filter(|(distance, _)| *distance <= circle.radius).collect();
        near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        near.truncate(first);
        let objects = near
            .into_iter()
            .map(|(distance, entity)| NearbyEntity { distance, entity: TwinEntity::of(snapshot.clone(), entity) });
        Ok(objects.collect())
    }

    /// What has the text in its id or its name, whatever the case and the accents of its letters: first what has it as
    /// its id or name, then what begins with it, then the rest; among equals in the order of `state.full`. An `id` that
    /// is unique over all kinds (`bus/12`) finds its entity.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for: 1 to 256 characters. Space around it does not count.")] text: String,
        #[graphql(desc = "Only these kinds; all where it is absent.")] kinds: Option<Vec<EntityKind>>,
        #[graphql(desc = "The most entities: from 0 to the server's `GRAPHQL_MAX_PAGE` (1000 unless set); 100 where \
            it is absent.")]
        first: Option<i32>,
    ) -> Result<Vec<TwinEntity>> {
        let first = page_size(first, max_page(ctx))?;
        let needle = folded(text.trim());
        if needle.is_empty() || text.chars().count() > MAX_TEXT {
            return Err(bad_input("text", format!("{text:?}"), "1 to 256 characters that are not all space"));
        }
        let snapshot = snapshot(ctx)?;
        let kinds = kinds_of(kinds);
        let named = parse_global_id(text.trim())
            .and_then(|(kind, district, id)| snapshot.find(kind, district.as_deref(), &id))
            .map(Entity::handle);
        let mut found: Vec<_> = snapshot
            .entities(&kinds)
            .filter_map(|entity| {
                let by_global_id = (named == Some(entity.handle())).then_some(Match::WholeId);
                let by_id = Match::of(entity.id(), &needle, true);
                let by_name = entity.name().and_then(|name| Match::of(name, &needle, false));
                Some((by_global_id.into_iter().chain(by_id).chain(by_name).min()?, entity))
            })
            .collect();
        found.sort_by_key(|(how, _)| *how);
        found.truncate(first);
        Ok(found.into_iter().map(|(_, entity)| TwinEntity::of(snapshot.clone(), entity)).collect())
    }
}

/// How well a text was found, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    WholeId,
    WholeName,
    Beginning,
    Inside,
}

impl Match {
    fn of(text: &str, needle: &str, is_id: bool) -> Option<Self> {
        let text = folded(text);
        match text.find(needle)? {
            0 if text.len() == needle.len() => Some(if is_id { Self::WholeId } else { Self::WholeName }),
            0 => Some(Self::Beginning),
            _ => Some(Self::Inside),
        }
    }
}

fn kinds_of(kinds: Option<Vec<EntityKind>>) -> Vec<Kind> {
    kinds.map_or_else(|| Kind::ALL.to_vec(), |kinds| kinds.into_iter().map(Kind::from).collect())
}

/// A text in lower case, its Latin letters without accents.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à'..='å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'æ' => out.push_str("ae"),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => out.push('c'),
            'ď' | 'đ' => out.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => out.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => out.push('g'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => out.push('i'),
            'ķ' => out.push('k'),
            'ĺ' | 'ļ' | 'ľ' | 'ł' => out.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => out.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => out.push('o'),
            'œ' => out.push_str("oe"),
            'ŕ' | 'ŗ' | 'ř' => out.push('r'),
            'ß' => out.push_str("ss"),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => out.push('s'),
            'ţ' | 'ť' | 'ț' => out.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            // Combining accents, and the typographic apostrophe as people type it.
            '\u{300}'..='\u{36f}' => {}
            '’' => out.push('\''),
            other => out.push(other),
        }
    }
    out
}
