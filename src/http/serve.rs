//! Runs the router on a listener until it is told to stop, then drains within a grace period.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::{AppState, guarded_stream::GuardedStream, router};

/// How long a client may take to send a request's head; also how long a kept connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most headers of a request, and the bytes that all of them may have.
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long to wait where the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `state.shutdown` is cancelled; then takes no new connection, lets requests end and sockets close, and
/// gives up what is left after `grace`.
pub async fn serve(listener: TcpListener, state: AppState, grace: Duration) {
    let shutdown = state.shutdown.clone();
    let sockets = state.connections.sockets.clone();
    // A write that blocks longer than both limits together belongs to a client that is gone; sockets notice earlier.
    let write_limit = state.graphql.write_timeout + state.graphql.stall_timeout;
    let router = router(state);
    let connections = TaskTracker::new();
    let abort = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_one_connections(&error) {
                    tracing::warn!(%error, "no connection can be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended at once");
            continue;
        }
        let stream = GuardedStream::new(stream, HEAD_TIMEOUT, write_limit);
        let service = WithPeer { router: router.clone(), peer };
        connections.spawn(connection(stream, service, shutdown.clone(), abort.clone()));
    }
    drop(listener);
    connections.close();
    sockets.close();
    let drained = async {
        connections.wait().await;
        sockets.wait().await;
    };
    if timeout(grace, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), sockets = sockets.len(), "connections did not drain in time");
        abort.cancel();
    }
}

async fn connection(
    stream: GuardedStream<TcpStream>,
    service: WithPeer,
    shutdown: CancellationToken,
    abort: CancellationToken,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
        .max_header_list_size(MAX_HEAD_BYTES as u32);
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut served = pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = shutdown.cancelled() => {
            served.as_mut().graceful_shutdown();
            tokio::select! {
                result = served => result,
                () = abort.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}

/// The router, told who its peer is.
#[derive(Clone)]
struct WithPeer {
    router: Router,
    peer: SocketAddr,
}

impl<B> Service<Request<B>> for WithPeer
where
    Router: Service<Request<B>>,
{
    type Response = <Router as Service<Request<B>>>::Response;
    type Error = <Router as Service<Request<B>>>::Error;
    type Future = <Router as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<B>>::poll_ready(&mut self.router, cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}

/// Errors of `accept` that concern one connection only, not the listener.
fn is_one_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
