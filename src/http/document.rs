//! Checks on a GraphQL document before async-graphql sees it, and a cache of those that passed.
//!
//! async-graphql 7.2 has no alias limit, its parser recurses with the brackets of the text, and its visitors walk every
//! fragment at every place where it is spread. So the text is scanned before it is parsed, and the weight of a document
//! is counted once per fragment before it is validated.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    ErrorExtensionValues, Name, Pos, Positioned, ServerError,
    parser::{
        parse_query,
        types::{
            Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationType, Selection,
            SelectionSet, TypeCondition,
        },
    },
};

use crate::config::GraphqlConfig;

/// The most tokens in a document. The standard introspection query has about 300; a generated client's largest have a
/// few thousand.
const MAX_TOKENS: usize = 15_000;
/// The deepest nesting of brackets in a document: the parser recurses once a bracket, and its stack must hold.
const MAX_NESTING: usize = 64;
/// The most selections of a document with every fragment expanded where it is spread: what validation walks.
const MAX_SELECTIONS: usize = 20_000;
/// How many documents are kept parsed. Clients send few distinct ones (the web client some 30), and whoever sends
/// a new one each time only loses the 10 us that a parse takes; twice 256 of at most 16 KiB stay under 100 MB.
const CACHED_DOCUMENTS: usize = 256;
/// Longer documents are parsed each time.
const MAX_CACHED_BYTES: usize = 16 * 1024;

/// Parses and checks documents, and remembers those that passed.
pub struct Documents {
    max_depth: usize,
    max_aliases: usize,
    max_directives: usize,
    cache: Mutex<Generations>,
}

/// A cache in two generations: when the young one is full it becomes the old one, and what is used again comes back.
/// The text itself is the key, so that no two documents can be mistaken for each other.
#[derive(Default)]
struct Generations {
    young: HashMap<Box<str>, Arc<ExecutableDocument>>,
    old: HashMap<Box<str>, Arc<ExecutableDocument>>,
}

impl Documents {
    /// Limits as configured.
    pub fn new(config: &GraphqlConfig) -> Self {
        Self {
            max_depth: config.max_depth,
            max_aliases: config.max_aliases,
            max_directives: config.max_directives,
            cache: Mutex::default(),
        }
    }

    /// The parsed form of a document, if it parses and keeps within the limits. The error carries its code.
    pub fn get(&self, text: &str) -> Result<Arc<ExecutableDocument>, ServerError> {
        if let Some(known) = self.cached(text) {
            return Ok(known);
        }
        scan(text)?;
        let mut document = parse_query(text).map_err(|error| {
            let mut error = ServerError::from(error);
            set_code(&mut error, "GRAPHQL_PARSE_FAILED");
            error
        })?;
        self.check(&document)?;
        flatten_roots(&mut document);
        let document = Arc::new(document);
        if text.len() <= MAX_CACHED_BYTES {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.insert(text.into(), Arc::clone(&document));
        }
        Ok(document)
    }

    fn cached(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = cache.young.get(text) {
            return Some(Arc::clone(document));
        }
        let (text, document) = cache.old.remove_entry(text)?;
        cache.insert(text, Arc::clone(&document));
        Some(document)
    }

    fn check(&self, document: &ExecutableDocument) -> Result<(), ServerError> {
        let mut weigher = Weigher { document, limits: self, fragments: HashMap::new() };
        // Unused fragments are validated, too.
        let mut selections = 0_usize;
        for name in document.fragments.keys() {
            selections = selections.saturating_add(weigher.fragment(name, 0)?.selections);
        }
        for (_, operation) in document.operations.iter() {
            weigher.directives(&operation.node.directives, operation.pos)?;
            let weight = weigher.selection_set(&operation.node.selection_set.node, 0)?;
            if weight.aliases > self.max_aliases {
                let text =
                    format!("the operation has {} aliases; at most {} are accepted", weight.aliases, self.max_aliases);
                return Err(refused(text, Some(operation.pos), "TOO_MANY_ALIASES"));
            }
            if weight.depth > self.max_depth {
                let text =
                    format!("the operation is {} fields deep; at most {} are accepted", weight.depth, self.max_depth);
                return Err(refused(text, Some(operation.pos), "TOO_DEEP"));
            }
            selections = selections.saturating_add(weight.selections);
            if operation.node.ty == OperationType::Subscription {
                let mut keys = HashSet::new();
                root_keys(document, &operation.node.selection_set.node, &mut keys);
                if keys.len() > 1 {
                    let text = "a subscription has exactly one root field";
                    return Err(refused(text, Some(operation.pos), "GRAPHQL_VALIDATION_FAILED"));
                }
            }
        }
        if selections > MAX_SELECTIONS {
            let text = format!("with its fragments expanded the document has more than {MAX_SELECTIONS} selections");
            return Err(refused(text, None, "TOO_COMPLEX"));
        }
        Ok(())
    }
}

impl Generations {
    fn insert(&mut self, text: Box<str>, document: Arc<ExecutableDocument>) {
        if self.young.len() >= CACHED_DOCUMENTS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, document);
    }
}

/// What a selection set holds, its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Weight {
    selections: usize,
    aliases: usize,
    depth: usize,
}

impl Weight {
    fn add(&mut self, inner: Weight, levels: usize) {
        self.selections = self.selections.saturating_add(1).saturating_add(inner.selections);
        self.aliases = self.aliases.saturating_add(inner.aliases);
        self.depth = self.depth.max(inner.depth.saturating_add(levels));
    }
}

struct Weigher<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Documents,
    /// Each fragment is weighed once; `None` while it is being weighed, which is how a cycle shows.
    fragments: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Weigher<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Weight, ServerError> {
        if level > MAX_NESTING {
            let text = format!("fragments and fields are nested more than {MAX_NESTING} levels deep");
            return Err(refused(text, None, "TOO_DEEP"));
        }
        let mut weight = Weight::default();
        for selection in &set.items {
            self.directives(selection.node.directives(), selection.pos)?;
            match &selection.node {
                Selection::Field(field) => {
                    let mut inner = self.selection_set(&field.node.selection_set.node, level + 1)?;
                    inner.aliases = inner.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    weight.add(inner, 1);
                }
                Selection::FragmentSpread(spread) => {
                    weight.add(self.fragment(&spread.node.fragment_name.node, level + 1)?, 0);
                }
                Selection::InlineFragment(inline) => {
                    weight.add(self.selection_set(&inline.node.selection_set.node, level + 1)?, 0);
                }
            }
        }
        Ok(weight)
    }

    /// An unknown fragment weighs nothing here; validation names it.
    fn fragment(&mut self, name: &str, level: usize) -> Result<Weight, ServerError> {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Weight::default()) };
        match self.fragments.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                let text = format!("the fragment `{name}` spreads itself");
                return Err(refused(text, Some(fragment.pos), "GRAPHQL_VALIDATION_FAILED"));
            }
            None => {}
        }
        self.fragments.insert(name.as_str(), None);
        self.directives(&fragment.node.directives, fragment.pos)?;
        let weight = self.selection_set(&fragment.node.selection_set.node, level + 1)?;
        self.fragments.insert(name.as_str(), Some(weight));
        Ok(weight)
    }

    fn directives(&self, directives: &[Positioned<Directive>], pos: Pos) -> Result<(), ServerError> {
        let max = self.limits.max_directives;
        if directives.len() <= max {
            return Ok(());
        }
        let text = format!("there are {} directives in one place; at most {max} are accepted", directives.len());
        Err(refused(text, Some(pos), "TOO_MANY_DIRECTIVES"))
    }
}

/// The response keys at the root of an operation. Only called once the fragments are known to have no cycle.
fn root_keys<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, keys: &mut HashSet<&'a str>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                keys.insert(field.node.response_key().node.as_str());
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    root_keys(document, &fragment.node.selection_set.node, keys);
                }
            }
            Selection::InlineFragment(inline) => root_keys(document, &inline.node.selection_set.node, keys),
        }
        if keys.len() > 1 {
            return;
        }
    }
}

/// Takes the fields at the root of subscriptions out of their fragments, and merges what is asked of the same field twice:
/// async-graphql looks into no fragment there, and runs a stream for each field. What is not valid stays as it is, to be refused.
fn flatten_roots(document: &mut ExecutableDocument) {
    let mut spread = HashSet::new();
    let operations: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations.into_iter().filter(|operation| operation.node.ty == OperationType::Subscription) {
        let set = &mut operation.node.selection_set.node;
        let (mut fields, mut found) = (Vec::new(), HashSet::new());
        if root_fields(&document.fragments, set, &[], &mut fields, &mut found) {
            spread.extend(found);
            set.items = fields
                .into_iter()
                .map(|Positioned { pos, node }| Positioned::new(Selection::Field(Positioned::new(node, pos)), pos))
                .collect();
        }
    }
    // Nothing but a subscription's root can hold one of these, and who is not used is refused.
    document.fragments.retain(|name, _| !spread.contains(name));
}

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Collects the fields of a subscription's root; `false` where a fragment is unknown or for another type.
fn root_fields(
    fragments: &Fragments,
    set: &SelectionSet,
    directives: &[Positioned<Directive>],
    fields: &mut Vec<Positioned<Field>>,
    spread: &mut HashSet<Name>,
) -> bool {
    let is_root = |on: &TypeCondition| on.on.node == "Subscription";
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(Positioned { pos, node }) => {
            let mut field = node.clone();
            field.directives.extend_from_slice(directives);
            let same = |other: &&mut Positioned<Field>| {
                let other = &other.node;
                let values = |field: &Field| {
                    field
                        .arguments
                        .iter()
                        .map(|(name, value)| (name.node.clone(), value.node.clone()))
                        .collect::<HashMap<_, _>>()
                };
                other.response_key().node == field.response_key().node
                    && other.name.node == field.name.node
                    && other.directives.is_empty()
                    && field.directives.is_empty()
                    && values(other) == values(&field)
            };
            match fields.iter_mut().find(same) {
                Some(other) => other.node.selection_set.node.items.append(&mut field.selection_set.node.items),
                None => fields.push(Positioned::new(field, *pos)),
            }
            true
        }
        Selection::FragmentSpread(Positioned { node, .. }) => {
            let name = &node.fragment_name.node;
            let Some(fragment) = fragments.get(name).filter(|found| is_root(&found.node.type_condition.node)) else {
                return false;
            };
            spread.insert(name.clone());
            let directives = [directives, &node.directives, &fragment.node.directives].concat();
            root_fields(fragments, &fragment.node.selection_set.node, &directives, fields, spread)
        }
        Selection::InlineFragment(Positioned { node, .. }) => {
            node.type_condition.as_ref().is_none_or(|on| is_root(&on.node)) && {
                let directives = [directives, &node.directives].concat();
                root_fields(fragments, &node.selection_set.node, &directives, fields, spread)
            }
        }
    })
}

/// Counts tokens and nesting without recursion. Bad documents are left to the parser, which says where they are bad.
fn scan(text: &str) -> Result<(), ServerError> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => {
                at += 1;
                continue;
            }
            b'#' => {
                at = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |n| at + n);
                continue;
            }
            b'"' => at = string_end(bytes, at),
            b'{' | b'(' | b'[' => {
                nesting += 1;
                at += 1;
            }
            b'}' | b')' | b']' => {
                nesting = nesting.saturating_sub(1);
                at += 1;
            }
            _ => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'-' | b'+'))
                {
                    at += 1;
                }
                at = at.max(start + 1);
            }
        }
        tokens += 1;
        if nesting > MAX_NESTING {
            let text = format!("brackets are nested more than {MAX_NESTING} levels deep");
            return Err(refused(text, None, "TOO_DEEP"));
        }
        if tokens > MAX_TOKENS {
            let text = format!("the document has more than {MAX_TOKENS} tokens");
            return Err(refused(text, None, "TOO_COMPLEX"));
        }
    }
    Ok(())
}

/// Where the string that starts at `at` ends, of either form; the text's end if it does not.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let block = bytes[at..].starts_with(b"\"\"\"");
    let mut end = at + if block { 3 } else { 1 };
    while end < bytes.len() {
        if block && bytes[end..].starts_with(b"\\\"\"\"") {
            end += 4;
        } else if block && bytes[end..].starts_with(b"\"\"\"") {
            return end + 3;
        } else if !block && bytes[end] == b'\\' {
            end += 2;
        } else if !block && matches!(bytes[end], b'"' | b'\n' | b'\r') {
            return end + 1;
        } else {
            end += 1;
        }
    }
    bytes.len()
}

/// A request error with its code.
pub(super) fn refused(text: impl Into<String>, pos: Option<Pos>, code: &str) -> ServerError {
    let mut error = ServerError::new(text, pos);
    set_code(&mut error, code);
    error
}

/// Sets `extensions.code`, unless there is one already.
pub(super) fn set_code(error: &mut ServerError, code: &str) {
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
}

#[cfg(test)]
mod tests;
