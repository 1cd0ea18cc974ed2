//! The closed sets of label values.

/// A closed set of label values.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The label's value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

labels! {
    /// What became of an event.
    Outcome {
        /// It changed the twin.
        Applied = "applied",
        /// It said what the twin already held.
        Unchanged = "unchanged",
        /// It was older than what its entity holds.
        Stale = "stale",
        /// It was dead-lettered.
        Rejected = "rejected",
    }
}

labels! {
    /// What became of a message to a state topic.
    Published {
        /// The broker has it.
        Acknowledged = "acknowledged",
        /// Its outcome was unknown, and it was sent again.
        Repeated = "repeated",
        /// The broker will never take it.
        Refused = "refused",
        /// It did not fit the embedded broker and was not sent.
        Skipped = "skipped",
    }
}

labels! {
    /// Why a flush did not land.
    FlushFailure {
        /// The store could not be reached, or its answer was lost.
        Unavailable = "unavailable",
        /// A newer writer has the token.
        Fenced = "fenced",
        /// The store holds no token any more.
        Emptied = "emptied",
        /// A key is not ours to write.
        Foreign = "foreign",
    }
}

labels! {
    /// How a subscriber is connected.
    Transport {
        /// `graphql-transport-ws`.
        WebSocket = "websocket",
        /// Server-sent events.
        Sse = "sse",
    }
}

labels! {
    /// What kind of GraphQL operation.
    Operation {
        /// A query.
        Query = "query",
        /// A mutation.
        Mutation = "mutation",
        /// A subscription; its time is that of its start.
        Subscription = "subscription",
    }
}

labels! {
    /// What became of a GraphQL request.
    GraphqlOutcome {
        /// It was answered without errors.
        Ok = "ok",
        /// It was executed, and its answer has errors.
        Error = "error",
        /// It was not executed: unparsable, invalid, or beyond a limit.
        Refused = "refused",
    }
}

labels! {
    /// Which store holds the twin.
    Store {
        /// Redis.
        Redis = "redis",
        /// One file.
        Embedded = "embedded",
    }
}

labels! {
    /// What became of one attempt to call a web API of City Live.
    CallOutcome {
        /// 200 with a body that was read.
        Ok = "ok",
        /// 304: nothing has changed.
        Unchanged = "unchanged",
        /// 429, or 503 with `Retry-After`.
        Throttled = "throttled",
        /// Another 4xx (or 3xx): a key that is not accepted, a place that the API does not know.
        Refused = "refused",
        /// 5xx.
        Failed = "failed",
        /// No whole answer in time.
        Timeout = "timeout",
        /// The connection failed or broke off.
        Broken = "broken",
        /// The body is larger than what is read.
        TooLarge = "too_large",
        /// The body has not the form that was asked for.
        Malformed = "malformed",
        /// Not called: the circuit breaker is open, or the API asked to be left alone.
        Resting = "resting",
        /// Not called: the budget is spent.
        OverBudget = "over_budget",
    }
}

labels! {
    /// How a part of an instance is, that is not as it should be.
    Degraded {
        /// Cannot be reached or refuses.
        Down = "down",
        /// Works, but later than it should.
        Behind = "behind",
        /// Something is gone for good.
        Lost = "lost",
        /// Waits on purpose.
        Paused = "paused",
    }
}
