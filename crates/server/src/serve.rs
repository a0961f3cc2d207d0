//! Connections: taken, served over HTTP/1 with a limit on how long the head of a request may take, and ended in order.
//!
//! It is what `axum::serve` does, which has no such limit: a client that sends a header line every few seconds would hold its
//! connection for ever. The limit runs only while a head is awaited, so it never ends an answer that goes on, such as a
//! live stream. An answer ends when its reader has taken nothing of it for a while. Beyond a number of connections the system
//! holds new ones back until one of them ends.

use std::{net::IpAddr, pin::pin, sync::Arc};

use axum::serve::Listener;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutStream;

use crate::{State, people::Peer, router};

/// The largest head of a request, in bytes. A larger one is answered 431.
const HEAD_BYTES: usize = 32 * 1024;

/// Serves until `stop` is ready; then takes no new connections and returns when those at hand have ended.
pub async fn serve(mut listener: TcpListener, state: State, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(state.patience.head).max_header_size(HEAD_BYTES);
    let (patience, proxies) = (state.patience, Arc::<[IpAddr]>::from(state.trusted_proxies.as_slice()));
    let room = Arc::new(Semaphore::new(state.connections));
    let service = TowerToHyperService::new(router(state));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // The trait's `accept` waits a little when the system has no room for another connection, and tries again.
        let accept = async {
            let place = Arc::clone(&room).acquire_owned().await.expect("nobody closes it");
            (place, Listener::accept(&mut listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        // Answers are small and wanted at once.
        let _kept_delay = stream.set_nodelay(true).is_err();
        let (service, proxies) = (service.clone(), Arc::clone(&proxies));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let peer = Peer::of(peer.ip(), request.headers(), &proxies);
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(patience.read));
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended before its time");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}
