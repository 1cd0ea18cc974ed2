//! Replies that can be asked for again with "only if it has changed".

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// A reply with what names its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `ETag`, as it came.
    pub etag: Option<String>,
    /// `Last-Modified`, as it came.
    pub last_modified: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// Replies by URL, at most so many bytes: what was kept first goes first. All zones' replies of a day fit many times over;
/// the bound is for an API that answers more than it should.
#[derive(Debug)]
pub struct Cache {
    most_bytes: usize,
    bytes: usize,
    order: VecDeque<String>,
    kept: HashMap<String, Kept>,
}

impl Cache {
    /// An empty one.
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bytes: 0, order: VecDeque::new(), kept: HashMap::new() }
    }

    /// What is known of this URL.
    pub fn get(&self, url: &str) -> Option<&Kept> {
        self.kept.get(url)
    }

    /// Keeps a reply in place of the one before. One without a version, or larger than a quarter of the bound, is not kept.
    pub fn put(&mut self, url: &str, reply: Kept) {
        self.forget(url);
        let size = cost(url, &reply);
        if (reply.etag.is_none() && reply.last_modified.is_none()) || size > self.most_bytes / 4 {
            return;
        }
        while self.bytes + size > self.most_bytes {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.forget(&oldest);
        }
        self.bytes += size;
        self.order.push_back(url.to_owned());
        self.kept.insert(url.to_owned(), reply);
    }

    fn forget(&mut self, url: &str) {
        if let Some(reply) = self.kept.remove(url) {
            self.bytes -= cost(url, &reply);
            self.order.retain(|kept| kept != url);
        }
    }
}

/// What a reply takes, about.
fn cost(url: &str, reply: &Kept) -> usize {
    let versions = reply.etag.as_ref().map_or(0, String::len) + reply.last_modified.as_ref().map_or(0, String::len);
    2 * url.len() + versions + reply.body.len() + 200
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(bytes: usize) -> Kept {
        Kept { etag: Some("\"v\"".into()), last_modified: None, body: Bytes::from(vec![b'x'; bytes]) }
    }

    #[test]
    fn the_oldest_go_when_it_is_full() {
        let mut cache = Cache::new(10_000);
        for url in ["a", "b", "c", "d"] {
            cache.put(url, reply(2000));
        }
        cache.put("a", reply(2100));
        cache.put("e", reply(2000));
        assert!(cache.get("b").is_none(), "the oldest");
        assert_eq!(cache.get("a").map(|kept| kept.body.len()), Some(2100), "it was kept anew");
        assert!(cache.bytes <= 10_000 && cache.order.len() == cache.kept.len());
    }

    #[test]
    fn what_cannot_be_asked_for_again_is_not_kept() {
        let mut cache = Cache::new(10_000);
        cache.put("a", Kept { etag: None, ..reply(10) });
        cache.put("b", reply(3000));
        assert!(cache.get("a").is_none() && cache.get("b").is_none());
        cache.put("c", reply(10));
        cache.put("c", Kept { etag: None, ..reply(10) });
        assert_eq!((cache.get("c"), cache.bytes), (None, 0), "a reply without a version takes the old one's place");
    }
}
