//! The twin in Redis, single node or Cluster, in hashes that a person can read with `redis-cli`.
//!
//! All keys of a city begin `twin:{<cityId>}:`; the braces are Redis Cluster's hash tag, so that they share a slot.
//!
//! | key after the prefix | type | field | value |
//! | --- | --- | --- | --- |
//! | `city` | hash | name of a fact (`cityId`, `name`, `schema`, `modelVersion`, `boundary`, `epoch`) | JSON |
//! | `offsets` | hash | `<topic>/<partition>` | `{"offset", "eventTime", "cluster"}` |
//! | `removed` | hash | global id of what an operator removed | the `lastUpdated` that it had |
//! | `districts` | hash | district id | `{districtId, name, location}` |
//! | `district:<districtId>:sensors` | hash | sensor id | the entity, as in `state.full` |
//! | `district:<districtId>:buildings` | hash | building id | the entity |
//! | `district:<districtId>:weather-stations` | hash | station id | the entity |
//! | `district:<districtId>:nodes` | hash | node id | the entity |
//! | `district:<districtId>:edges` | hash | edge id | the entity |
//! | `buses`, `stations`, `incidents`, `units` | hash | entity id | the entity |
//! | `tables` | set | | the names above that have rows |
//! | `token` | string | | the last fencing token; stays when the lease ends |
//! | `sequence` | string | | `<token>/<number>` of the last script that wrote: what was given up as lost cannot land after it |
//! | `lease` | hash, expires | `holder`, `address`, `token` | the writer |
//!
//! Whatever writes is one Lua script: it checks the token and the keys' types, then writes everything or nothing.
//! `tables` changes in the same script, so a load needs no `SCAN`, and a hash that the server evicted is noticed.

mod address;
mod chunk;
mod link;
mod script;
mod store;

pub use store::RedisStore;
