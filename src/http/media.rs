//! Content negotiation of GraphQL over HTTP.

use axum::http::{HeaderMap, header};

/// How a GraphQL result is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was well formed.
    Response,
    /// `application/json`: 200 for whatever is a well-formed HTTP request.
    Json,
    /// `text/event-stream`: graphql-sse in distinct connections mode.
    EventStream,
}

impl Media {
    /// The `Content-Type` of a result in this form.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        }
    }
}

/// What a client accepts, by the weights of its `Accept` headers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    response: f32,
    json: f32,
    events: f32,
}

impl Accepted {
    /// Reads the `Accept` headers. None at all means anything.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if lines.peek().is_none() {
            return Self { response: 0.0, json: 1.0, events: 0.0 };
        }
        // Each as (how exact the range is, its weight): the most exact range that fits a type decides.
        let (mut response, mut json, mut events) = ((0, 0.0), (0, 0.0), (0, 0.0));
        for range in lines.flat_map(|line| line.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .find_map(|q| q.parse::<f32>().ok())
                .filter(|q| q.is_finite())
                .map_or(1.0, |q| q.clamp(0.0, 1.0));
            match name.as_str() {
                "application/graphql-response+json" => response = (3, weight),
                "application/json" => json = (3, weight),
                "text/event-stream" => events = (3, weight),
                "application/*" if json.0 <= 2 => json = (2, weight),
                "*/*" if json.0 <= 1 => json = (1, weight),
                _ => {}
            }
        }
        Self { response: response.1, json: json.1, events: events.1 }
    }

    /// The best form for the result of a query or a mutation; `None` is 406.
    pub fn for_result(self) -> Option<Media> {
        let best = self.response.max(self.json).max(self.events);
        if best <= 0.0 {
            None
        } else if self.response >= best {
            Some(Media::Response)
        } else if self.json >= best {
            Some(Media::Json)
        } else {
            Some(Media::EventStream)
        }
    }

    /// Whether a subscription's events may be sent.
    pub fn events(self) -> bool {
        self.events > 0.0
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepted(accept: &str) -> Accepted {
        Accepted::of(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]))
    }

    #[test]
    fn the_heaviest_known_type_wins_and_the_new_one_before_the_old() {
        let cases = [
            ("application/json", Some(Media::Json)),
            ("application/graphql-response+json", Some(Media::Response)),
            ("application/json, application/graphql-response+json", Some(Media::Response)),
            ("application/json, application/graphql-response+json;q=0.9", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/*;q=0.5, text/html", Some(Media::Json)),
            ("text/event-stream", Some(Media::EventStream)),
            ("text/event-stream, application/json", Some(Media::Json)),
            ("*/*, application/json;q=0", None),
            ("application/json;q=0, */*", None),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=NaN", Some(Media::Json)),
        ];
        for (accept, media) in cases {
            assert_eq!(accepted(accept).for_result(), media, "{accept}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()).for_result(), Some(Media::Json));
    }

    #[test]
    fn only_who_names_the_event_stream_gets_one() {
        assert!(accepted("application/json, text/event-stream").events());
        assert!(!accepted("*/*").events());
        assert!(!accepted("text/event-stream;q=0").events());
    }
}
