//! Who sends a request, and whether it may change anything. `http` puts a [`Caller`] into every execution's data;
//! mutations ask it.

use std::net::{IpAddr, Ipv4Addr};

use async_graphql::{Error, ErrorExtensions};

/// Why a caller may or may not change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The right `ADMIN_TOKEN`, or a request from this machine where no token is set.
    Granted,
    /// A token is set and this request brought none.
    TokenMissing,
    /// A token is set and this request brought another one.
    TokenWrong,
    /// No token is set, and this request does not plainly come from this machine.
    NotLocal,
}

/// Who sends a request: read it in a resolver with `ctx.data::<Caller>()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The address of the TCP peer (a proxy's, where there is one); IPv4-mapped addresses are IPv4 here.
    pub peer: IpAddr,
    /// What the request's token and origin give it.
    pub access: Access,
    /// Which socket the request came by; `None` for HTTP. What runs on a socket is steered by that socket only.
    pub socket: Option<u64>,
}

impl Caller {
    /// The process itself: may change everything. For work that no request asked for, and for tests of the schema.
    pub fn trusted() -> Self {
        Self { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), access: Access::Granted, socket: None }
    }

    /// Whether this caller may run mutations, imports and whatever else changes something.
    pub fn may_change(&self) -> bool {
        self.access == Access::Granted
    }

    /// Why this caller may not change anything, in words for its user; `None` if it may.
    pub fn refusal(&self) -> Option<&'static str> {
        match self.access {
            Access::Granted => None,
            Access::TokenMissing => Some("this changes something and needs `Authorization: Bearer ADMIN_TOKEN`"),
            Access::TokenWrong => Some("the token sent in `Authorization` is not the server's ADMIN_TOKEN"),
            Access::NotLocal => Some(
                "no ADMIN_TOKEN is set, so only requests from this machine to a local host name may change anything",
            ),
        }
    }

    /// The machine-readable code of a refusal: `UNAUTHENTICATED` where a token would help, else `FORBIDDEN`.
    pub fn refusal_code(&self) -> &'static str {
        match self.access {
            Access::NotLocal => "FORBIDDEN",
            Access::Granted | Access::TokenMissing | Access::TokenWrong => "UNAUTHENTICATED",
        }
    }

    /// Lets a mutation go on, or ends it with an error whose `extensions.code` is `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn require_change(&self) -> Result<(), Error> {
        match self.refusal() {
            None => Ok(()),
            Some(reason) => Err(Error::new(reason).extend_with(|_, e| e.set("code", self.refusal_code()))),
        }
    }
}
