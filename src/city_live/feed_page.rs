//! Pages of the feed: the same for GraphQL and REST.

use super::archive::{Archive, FeedItem, FeedQuery, Result};

/// Stands before the number in a cursor, so that those of other lists are told apart.
const PREFIX: &str = "live-feed\n";

/// A page of the feed.
#[derive(Debug)]
pub struct FeedPage {
    /// Newest first.
    pub items: Vec<FeedItem>,
    /// Whether there are older ones that match.
    pub more: bool,
}

/// The page that a query asks for: one row more is read, to know whether there are more.
///
/// # Errors
/// The archive's.
pub async fn page(archive: &dyn Archive, mut query: FeedQuery) -> Result<FeedPage> {
    let limit = query.limit;
    query.limit += 1;
    let mut items = archive.feed(&query).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(FeedPage { items, more })
}

/// Where a row stands in the feed, opaque; in hexadecimal so that nobody is tempted to build one.
pub fn cursor(seq: i64) -> String {
    hex::encode(format!("{PREFIX}{seq}"))
}

/// What [`cursor`] wrote; `None` for anything else.
pub fn parse_cursor(cursor: &str) -> Option<i64> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    text.strip_prefix(PREFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_and_nothing_else_is() {
        for seq in [0, 1, i64::MAX] {
            assert_eq!(parse_cursor(&cursor(seq)), Some(seq));
        }
        for other in ["", "1", "zz", &hex::encode("bus\n\n1"), &hex::encode("live-feed\nx")] {
            assert_eq!(parse_cursor(other), None, "{other}");
        }
    }
}
