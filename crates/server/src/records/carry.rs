//! Files between the connection and the disk, as they come: never in memory whole.

use std::io::{self, Read, Write};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use rapport_records::{Access, Desk, RecordsError};
use tokio::sync::mpsc;

use super::ask;
use crate::{Shared, auth::Operator, exchange::blocking, problem::Problem};

/// Pieces of a file that wait between the connection and the disk.
const PIECES: usize = 16;
/// Bytes of a piece of a file that goes out.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of a request as a reader. The connection waits when the reader is slow.
struct Incoming {
    pieces: mpsc::Receiver<Result<Bytes, axum::Error>>,
    piece: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// Hands the body of a request to `work` on a thread for blocking work, as it comes.
pub(super) async fn incoming<T: Send + 'static>(
    app: &Shared,
    operator: &Operator,
    body: Body,
    work: impl FnOnce(&Desk, &Access, &mut dyn Read) -> Result<T, RecordsError> + Send + 'static,
) -> Result<T, Problem> {
    let (sender, pieces) = mpsc::channel(PIECES);
    let mut body = body.into_data_stream();
    let patience = app.state.patience.body;
    let carry = async move {
        // A sender that is silent for too long is taken for gone.
        loop {
            let Ok(next) = tokio::time::timeout(patience, body.next()).await else {
                // What came so far must not be taken for the whole file.
                let late = axum::Error::new(io::Error::from(io::ErrorKind::TimedOut));
                let _gone = sender.send(Err(late)).await.is_err();
                return false;
            };
            let Some(piece) = next else { return true };
            if sender.send(piece).await.is_err() {
                return true;
            }
        }
    };
    let store = ask(app, operator, move |desk, access| {
        let mut incoming = Incoming { pieces, piece: Bytes::new() };
        work(desk, access, &mut incoming)
    });
    let (is_whole, stored) = tokio::join!(carry, store);
    if is_whole {
        return stored;
    }
    Err(Problem::new(axum::http::StatusCode::REQUEST_TIMEOUT, "timeout", "The file took too long to come"))
}

/// A body that is written on a thread for blocking work, and waits for its reader.
pub(super) fn outgoing(write: impl FnOnce(&mut dyn Write) -> Result<(), String> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, io::Error>>(PIECES);
    tokio::spawn(async move {
        let failed = sender.clone();
        let written = blocking(move || {
            let mut out = io::BufWriter::with_capacity(PIECE_BYTES, Outgoing(sender));
            write(&mut out).and_then(|()| out.flush().map_err(|error| error.to_string()))
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(%error, "a file was not written to its end");
            // The answer is broken off, so that nobody takes the part for the whole. A reader that has gone does not hear it.
            let _gone = failed.send(Err(io::Error::other("the file was not written to its end"))).await.is_err();
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    Body::from_stream(pieces)
}

struct Outgoing(mpsc::Sender<Result<Bytes, io::Error>>);

impl Write for Outgoing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone");
        self.0.blocking_send(Ok(Bytes::copy_from_slice(buffer))).map_err(gone)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
