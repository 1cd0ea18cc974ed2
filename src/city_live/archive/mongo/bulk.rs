//! Many writes in few commands.

use mongodb::bson::{Bson, Document, doc};

use super::link::Link;
use crate::city_live::archive::{ArchiveError, Result};

/// Writes of one command: more gain nothing, and an answer stays short.
const MOST: usize = 1000;
/// MongoDB's code of a key that is there already.
const DUPLICATE: i32 = 11000;

/// What becomes of a document under `_id`.
pub(super) struct Put {
    /// Which document may be replaced; where none fits and the `_id` is taken, nothing happens, and its index is told.
    pub(super) filter: Document,
    /// The whole document, or what is set of it.
    pub(super) document: Document,
}

impl Put {
    /// In place of whatever has its `_id`.
    pub(super) fn over(document: Document) -> Self {
        Self { filter: id(&document), document }
    }

    /// Into whatever has its `_id`: only these fields are set.
    pub(super) fn into(mut document: Document) -> Self {
        let filter = id(&document);
        document.remove("_id");
        Self { filter, document: doc! {"$set": document} }
    }

    /// Only where what is there has this.
    pub(super) fn over_if(document: Document, condition: Document) -> Self {
        let mut filter = id(&document);
        filter.extend(condition);
        Self { filter, document }
    }
}

fn id(document: &Document) -> Document {
    doc! {"_id": document.get("_id").cloned().unwrap_or(Bson::Null)}
}

impl Link {
    /// Adds documents; those whose `_id` is there already are left as they are, and their indices told.
    pub(super) async fn add(&self, collection: &str, documents: Vec<Document>) -> Result<Vec<usize>> {
        self.all("insert", "documents", collection, documents).await
    }

    /// Replaces or adds documents. Which of them (by index) could not be, because what is there does not fit their filter.
    pub(super) async fn put(&self, collection: &str, puts: Vec<Put>) -> Result<Vec<usize>> {
        let updates =
            puts.into_iter().map(|put| doc! {"q": put.filter, "u": put.document, "upsert": true, "multi": false});
        self.all("update", "updates", collection, updates.collect()).await
    }

    async fn all(
        &self,
        command: &'static str,
        of: &'static str,
        collection: &str,
        operations: Vec<Document>,
    ) -> Result<Vec<usize>> {
        let mut taken = Vec::new();
        let mut begin = 0;
        while begin < operations.len() {
            let chunk = &operations[begin..operations.len().min(begin + MOST)];
            let answer = self.command(doc! {command: collection, of: chunk.to_vec(), "ordered": false}).await?;
            let errors = answer.get_array("writeErrors").map(Vec::as_slice).unwrap_or_default();
            let mut last = None;
            for error in errors.iter().filter_map(Bson::as_document) {
                let number = |field| error.get(field).and_then(whole);
                let index = number("index").unwrap_or(0).max(0) as usize;
                if number("code") != Some(i64::from(DUPLICATE)) {
                    let reason = error.get_str("errmsg").unwrap_or("no reason was given");
                    let message = format!("{collection}: {reason}");
                    return Err(ArchiveError::Unavailable { archive: "MongoDB", message });
                }
                taken.push(begin + index);
                last = last.max(Some(index));
            }
            let done = answer.get("n").and_then(whole).unwrap_or(0).max(0) as usize + errors.len();
            // Unordered means that all are tried; a server that stops at the first error is sent the rest.
            begin += match last {
                Some(last) if done < chunk.len() => last + 1,
                _ => chunk.len(),
            };
        }
        Ok(taken)
    }
}

fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) => Some(*number as i64),
        _ => None,
    }
}
