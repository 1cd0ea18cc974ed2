//! What all types of entities have in common.

use async_graphql::ID;

use crate::twin::{entity::global_id, model::Model};

/// Declares the type of an entity: one value of it, and the city around it at that moment.
macro_rules! entity_type {
    ($(#[$($doc:tt)*])* $name:ident, $model:ty) => {
        $(#[$($doc)*])*
        #[derive(Clone, Debug)]
        pub struct $name {
            snapshot: $crate::graphql::snapshot::Snapshot,
            item: std::sync::Arc<$crate::twin::entity::Item<$model>>,
        }

        impl $crate::graphql::connection::Listed for $name {
            type Model = $model;
            const CONNECTION: &'static str = concat!(stringify!($name), "Connection");
            const EDGE: &'static str = concat!(stringify!($name), "Edge");

            fn new(
                snapshot: impl Into<$crate::graphql::snapshot::Snapshot>,
                item: std::sync::Arc<$crate::twin::entity::Item<$model>>,
            ) -> Self {
                Self { snapshot: snapshot.into(), item }
            }

            fn item(&self) -> &$crate::twin::entity::Item<$model> {
                &self.item
            }
        }

        impl $name {
            /// One value of the entity, and the city around it at that moment.
            pub fn new(
                snapshot: impl Into<$crate::graphql::snapshot::Snapshot>,
                item: std::sync::Arc<$crate::twin::entity::Item<$model>>,
            ) -> Self {
                $crate::graphql::connection::Listed::new(snapshot, item)
            }
        }
    };
}

pub(super) use entity_type;

/// The id of an entity over all kinds.
pub(super) fn id_of<T: Model>(value: &T) -> ID {
    ID(global_id(T::KIND, value.district(), value.id()))
}

/// A count as GraphQL's `Int`; the model holds counts below 2^31.
pub(super) fn int(count: Option<u32>) -> Option<i32> {
    count.map(|count| i32::try_from(count).unwrap_or(i32::MAX))
}
