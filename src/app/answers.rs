//! What the HTTP port asks, answered by the subsystems.

use std::{sync::Arc, time::Duration};

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use serde_json::{Map, Value, json};

use crate::{
    graphql::at_one_moment,
    http::{
        api::Executor,
        health::{Degraded, DegradedState, Probe, Readiness, Role},
        state::{CityImport, DeltasAnswer, ImportAnswer, ImportError, StateAnswer, StateSource},
    },
    instance::{Fault, Health, Trouble},
    publish::{Chain, Since},
    telemetry,
    twin::{model::Kind, snapshot::CityFile, time::Time},
    writer::{ImportReport, OperationError, Operator},
};

/// How long an import waits for the flush that holds it.
const IMPORT: Duration = Duration::from_secs(30);

/// A schema whose queries each see one moment of the city.
pub(super) struct OneMoment<Q, M, S>(pub Schema<Q, M, S>);

impl<Q, M, S> Executor for OneMoment<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        Executor::execute(&self.0, at_one_moment(request))
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        // Each item of a subscription sees its own moment.
        Executor::execute_stream(&self.0, request)
    }
}

/// Answers from the chain, the instance's health and the writer.
#[derive(Clone)]
pub(super) struct Answers {
    chain: Arc<Chain>,
    health: Arc<Health>,
    operator: Operator,
}

impl Answers {
    pub(super) fn new(chain: Arc<Chain>, health: Arc<Health>, operator: Operator) -> Self {
        Self { chain, health, operator }
    }
}

impl StateSource for Answers {
    fn current(&self) -> Option<StateAnswer> {
        let published = self.chain.state()?;
        Some(StateAnswer {
            json: published.json,
            timestamp: published.timestamp.to_string(),
            timestamp_ms: published.timestamp.0,
            epoch: published.epoch,
        })
    }

    fn deltas_since(&self, timestamp_ms: i64) -> DeltasAnswer {
        match self.chain.since(Time(timestamp_ms)) {
            Since::Nothing => DeltasAnswer::NotReady,
            Since::Gone => DeltasAnswer::Gone,
            Since::Incrementals { epoch, timestamp, incrementals } => {
                let mut body = format!("{{\"epoch\":{epoch},\"timestamp\":\"{timestamp}\",\"deltas\":[").into_bytes();
                for (i, incremental) in incrementals.iter().enumerate() {
                    if i > 0 {
                        body.push(b',');
                    }
                    // The message is an object: its members follow ours.
                    body.extend_from_slice(format!("{{\"previousTimestamp\":\"{}\",", incremental.previous).as_bytes());
                    body.extend_from_slice(&incremental.message[1..]);
                }
                body.extend_from_slice(b"]}");
                DeltasAnswer::Deltas(Bytes::from(body))
            }
        }
    }
}

impl CityImport for Answers {
    fn import(&self, file: Bytes) -> BoxFuture<'static, ImportAnswer> {
        let (operator, health) = (self.operator.clone(), Arc::clone(&self.health));
        async move {
            if health.token().is_none() && health.writer().is_some() {
                return ImportAnswer::Replica(health.writer());
            }
            let parsed = tokio::task::spawn_blocking(move || parse(&file)).await;
            let file = match parsed {
                Ok(Ok(file)) => file,
                Ok(Err(errors)) => return ImportAnswer::Invalid(errors),
                Err(error) => return ImportAnswer::Unavailable(error.to_string()),
            };
            match tokio::time::timeout(IMPORT, operator.import(file)).await {
                Ok(Ok(report)) => ImportAnswer::Imported(counts(&report)),
                Ok(Err(OperationError::NotWriter { writer })) => ImportAnswer::Replica(writer),
                Ok(Err(error @ OperationError::OtherCity { .. })) => ImportAnswer::OtherCity(error.to_string()),
                Ok(Err(error)) => ImportAnswer::Unavailable(error.to_string()),
                Err(_) => ImportAnswer::Unavailable(
                    "the store has not confirmed the import yet: it may still take effect".to_owned(),
                ),
            }
        }
        .boxed()
    }
}

fn parse(file: &[u8]) -> Result<CityFile, Vec<ImportError>> {
    let text = std::str::from_utf8(file)
        .map_err(|error| vec![ImportError { path: String::new(), message: format!("is no UTF-8: {error}") }])?;
    CityFile::parse(text).map_err(|problems| {
        problems.into_iter().map(|problem| ImportError { path: problem.field, message: problem.message }).collect()
    })
}

/// The body of an import's answer: by kind, what came, changed and went.
fn counts(report: &ImportReport) -> Value {
    let name = |kind: Kind| match kind {
        Kind::District => "districts",
        Kind::Sensor => "sensors",
        Kind::Building => "buildings",
        Kind::WeatherStation => "weatherStations",
        Kind::Node => "nodes",
        Kind::Edge => "edges",
        Kind::Bus => "buses",
        Kind::Station => "stations",
        Kind::Incident => "incidents",
        Kind::Unit => "units",
    };
    let by_kind: Map<String, Value> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let count = report[kind as usize];
            let value = json!({"created": count.created, "changed": count.changed, "removed": count.removed});
            (name(kind).to_owned(), value)
        })
        .collect();
    Value::Object(by_kind)
}

impl Probe for Answers {
    fn readiness(&self) -> Readiness {
        let token = self.health.token();
        let degraded = self.health.faults().into_iter().map(degraded).collect();
        let (epoch, _) = *self.chain.newest().borrow();
        Readiness {
            ready: self.health.is_ready(self.chain.has_state().then_some(epoch)),
            role: if token.is_some() { Role::Writer } else { Role::Replica },
            epoch: token.or(Some(epoch).filter(|epoch| *epoch > 0)),
            degraded,
        }
    }

    fn metrics(&self) -> String {
        let faults = self.health.faults();
        for (trouble, state) in [
            (Trouble::Down, telemetry::Degraded::Down),
            (Trouble::Behind, telemetry::Degraded::Behind),
            (Trouble::Lost, telemetry::Degraded::Lost),
            (Trouble::Paused, telemetry::Degraded::Paused),
        ] {
            let count = faults.iter().filter(|fault| fault.trouble == trouble).count();
            telemetry::degraded(state).set(count as f64);
        }
        telemetry::render()
    }
}

fn degraded(fault: Fault) -> Degraded {
    Degraded {
        what: fault.what,
        state: match fault.trouble {
            Trouble::Down => DegradedState::Down,
            Trouble::Behind => DegradedState::Behind,
            Trouble::Lost => DegradedState::Lost,
            Trouble::Paused => DegradedState::Paused,
        },
        since: Time(fault.since).to_string(),
        message: fault.message,
    }
}
