//! Files between the connection and the disk, as they come: never in memory whole.
//!
//! Each holds a thread for as long as the other side takes, so there are at most [`AT_ONCE`] on their way and one more is
//! refused with 503. A sender that is slower than [`PACE`] uses up the patience for bodies, and is refused with 408 then; a reader
//! uses up the patience for answers, and what it gets is broken off.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::Duration,
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use rapport_records::{Access, Desk, RecordsError};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, timeout},
};

use super::ask;
use crate::{App, Shared, auth::Operator, exchange::blocking, problem::Problem};

/// Files on their way at once, of the 512 threads that there are for blocking work.
pub(crate) const AT_ONCE: usize = 64;
/// Bytes a second below which a sender or reader uses up the patience for it.
const PACE: f64 = 16_384.0;
/// Pieces of a file that wait between the connection and the disk.
const PIECES: usize = 16;
/// Bytes of a piece of a file that goes out.
const PIECE_BYTES: usize = 64 * 1024;

/// A place among the files that are on their way.
fn place(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let place = Arc::clone(&app.files_on_their_way).try_acquire_owned();
    place.map_err(|_| Problem::unavailable("too many files are on their way").retry_after(5))
}

/// How long a sender or reader is still waited for. Waiting uses it up, and what comes or goes fills it again, up to the patience as a whole.
struct Waiting {
    left: Duration,
    most: Duration,
}

impl Waiting {
    fn came(&mut self, waited: Duration, bytes: usize) {
        let earned = Duration::from_secs_f64(bytes as f64 / PACE);
        self.left = (self.left.saturating_sub(waited) + earned).min(self.most);
    }
}

/// What comes of the body of a request: a piece, none at its end, or why there is no more.
type Come = Result<Option<Bytes>, axum::Error>;

/// Hands a body on as it comes; false if its sender is too slow.
async fn carry(mut body: BodyDataStream, sender: mpsc::Sender<Come>, patience: Duration) -> bool {
    let mut waiting = Waiting { left: patience, most: patience };
    loop {
        let began = Instant::now();
        let Ok(next) = timeout(waiting.left, body.next()).await else {
            // What came so far must not be taken for the whole file.
            let late = axum::Error::new(io::Error::from(io::ErrorKind::TimedOut));
            let _gone = sender.send(Err(late)).await.is_err();
            return false;
        };
        let come = next.transpose();
        let goes_on = match &come {
            Ok(Some(piece)) => {
                waiting.came(began.elapsed(), piece.len());
                true
            }
            Ok(None) | Err(_) => false,
        };
        if sender.send(come).await.is_err() || !goes_on {
            return true;
        }
    }
}

/// The body of a request as a reader. The connection waits when the reader is slow.
struct Incoming {
    pieces: mpsc::Receiver<Come>,
    piece: Bytes,
    is_whole: bool,
}

impl Incoming {
    fn new(pieces: mpsc::Receiver<Come>) -> Self {
        Self { pieces, piece: Bytes::new(), is_whole: false }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Ok(Some(piece))) => self.piece = piece,
                Some(Ok(None)) => self.is_whole = true,
                Some(Err(error)) => return Err(io::Error::other(error)),
                // The connection has gone, and with it who would have said that this is all.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
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
    let place = place(app)?;
    let (sender, pieces) = mpsc::channel(PIECES);
    let carry = carry(body.into_data_stream(), sender, app.state.patience.body);
    let store = ask(app, operator, move |desk, access| {
        // The thread has the place, whatever becomes of the request.
        let _place = place;
        work(desk, access, &mut Incoming::new(pieces))
    });
    let (is_in_time, stored) = tokio::join!(carry, store);
    if is_in_time {
        return stored;
    }
    Err(Problem::new(axum::http::StatusCode::REQUEST_TIMEOUT, "timeout", "The file took too long to come"))
}

/// A body that is written on a thread for blocking work, and waits for its reader.
pub(super) fn outgoing(
    app: &App,
    write: impl FnOnce(&mut dyn Write) -> Result<(), String> + Send + 'static,
) -> Result<Body, Problem> {
    Ok(handed_out(place(app)?, app.state.patience.read, write))
}

/// A piece of a file that goes out, none at its end. What ends without that is not the whole file.
type Piece = Option<Bytes>;

fn handed_out(
    place: OwnedSemaphorePermit,
    patience: Duration,
    write: impl FnOnce(&mut dyn Write) -> Result<(), String> + Send + 'static,
) -> Body {
    let (sender, written) = mpsc::channel(PIECES);
    let (out, pieces) = mpsc::channel(1);
    tokio::spawn(async move {
        let file = blocking(move || {
            let mut out = io::BufWriter::with_capacity(PIECE_BYTES, Outgoing(sender));
            let written = write(&mut out).and_then(|()| {
                let all = out.into_inner().map_err(|error| error.to_string())?;
                all.0.blocking_send(None).map_err(|error| error.to_string())
            });
            if let Err(error) = written {
                tracing::warn!(%error, "a file was not written to its end");
            }
        });
        let ((), _written) = tokio::join!(hand_out(written, out, patience), file);
        // Held until the thread has ended and nothing but a piece waits for the reader.
        drop(place);
    });
    Body::from_stream(stream::unfold(pieces, |mut pieces| async move {
        let piece = match pieces.recv().await {
            Some(piece) => Ok(piece?),
            None => Err(io::Error::other("the file was not handed out to its end")),
        };
        Some((piece, pieces))
    }))
}

/// Hands on what is written as the reader takes it, until all is handed on, the reader has gone, or it was too slow.
async fn hand_out(mut written: mpsc::Receiver<Piece>, out: mpsc::Sender<Piece>, patience: Duration) {
    let mut waiting = Waiting { left: patience, most: patience };
    while let Some(piece) = written.recv().await {
        let (began, bytes) = (Instant::now(), piece.as_ref().map_or(0, Bytes::len));
        match timeout(waiting.left, out.send(piece)).await {
            Ok(Ok(())) => waiting.came(began.elapsed(), bytes),
            Ok(Err(_)) => return,
            Err(_) => return tracing::info!("a file was taken too slowly, and is not handed out to its end"),
        }
    }
}

struct Outgoing(mpsc::Sender<Piece>);

impl Write for Outgoing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone");
        // What is larger than the buffer in front comes past it, as a whole.
        let piece = &buffer[..buffer.len().min(PIECE_BYTES)];
        self.0.blocking_send(Some(Bytes::copy_from_slice(piece))).map_err(gone)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_whole_only_if_its_sender_has_said_so() {
        let read = |all: Vec<Come>| {
            let (sender, pieces) = mpsc::channel(PIECES);
            all.into_iter().for_each(|come| sender.try_send(come).unwrap());
            drop(sender);
            let mut text = String::new();
            Incoming::new(pieces).read_to_string(&mut text).map(|_| text).map_err(|error| error.kind())
        };
        let piece = |text: &'static str| Ok(Some(Bytes::from_static(text.as_bytes())));
        assert_eq!(read(vec![piece("a"), piece(""), piece("b"), Ok(None)]), Ok("ab".to_owned()));
        assert_eq!(read(vec![piece("a")]), Err(io::ErrorKind::UnexpectedEof), "the connection has gone");
        let broken = Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)));
        assert!(read(vec![piece("a"), broken]).is_err());
    }

    /// How many bytes come of a body, and whether it ends as a whole one does.
    async fn taken(body: Body) -> (usize, bool) {
        let mut pieces = body.into_data_stream();
        let mut bytes = 0;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => bytes += piece.len(),
                Err(_) => return (bytes, false),
            }
        }
        (bytes, true)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_takes_nothing_gives_the_place_back_and_has_no_whole_file() {
        let size = PIECE_BYTES * PIECES * 4;
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        let take_place = || timeout(Duration::from_mins(1), Arc::clone(&places).acquire_owned());
        let hand_out = |place, patience| {
            handed_out(place, patience, move |out| out.write_all(&vec![7; size]).map_err(|error| error.to_string()))
        };
        let body = hand_out(take_place().await.unwrap().unwrap(), Duration::from_millis(50));
        let place = take_place().await.expect("the place is free again").unwrap();
        let (bytes, is_whole) = taken(body).await;
        assert!(!is_whole && bytes <= PIECE_BYTES, "{bytes} bytes");
        assert_eq!(taken(hand_out(place, Duration::from_mins(1))).await, (size, true));
        // What fails while it is written is not taken for the whole either.
        let place = take_place().await.expect("the place is free after a whole file").unwrap();
        let broken = handed_out(place, Duration::from_mins(1), |out| {
            out.write_all(b"a").map_err(|error| error.to_string())?;
            Err("the disk is gone".to_owned())
        });
        assert!(!taken(broken).await.1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_little_now_and_then_uses_the_patience_up() {
        let second = Duration::from_secs(1);
        // How many pieces of 64 KiB somebody gets of many who takes one after each wait.
        let pieces_of = async |wait: Duration| {
            let (sender, written) = mpsc::channel(PIECES);
            let (out, mut pieces) = mpsc::channel(1);
            tokio::spawn(async move {
                let piece = Bytes::from(vec![7; PIECE_BYTES]);
                while sender.send(Some(piece.clone())).await.is_ok() {}
            });
            tokio::spawn(hand_out(written, out, second * 60));
            let mut taken = 0;
            while taken < 500 && pieces.recv().await.is_some() {
                taken += 1;
                // The clock goes on to whatever is due first.
                timeout(wait, std::future::pending::<()>()).await.unwrap_err();
            }
            taken
        };
        assert_eq!(pieces_of(second * 3).await, 500, "20 KiB a second are enough for hours");
        let taken = pieces_of(second * 20).await;
        assert!((3..10).contains(&taken), "3 KiB a second are not: {taken} pieces");
    }

    #[test]
    fn a_trickle_uses_the_patience_up_and_a_steady_sender_does_not() {
        let most = Duration::from_secs(30);
        let second = Duration::from_secs(1);
        let mut trickle = Waiting { left: most, most };
        (0..31).for_each(|_| trickle.came(second, 1));
        assert!(trickle.left < second / 100, "{:?}", trickle.left);
        let mut steady = Waiting { left: most, most };
        (0..3_600).for_each(|_| steady.came(second, PACE as usize));
        assert!(steady.left + second * 2 > most, "{:?}", steady.left);
        let mut fast = Waiting { left: most, most };
        fast.came(second, 1 << 30);
        assert_eq!(fast.left, most, "nobody may be silent for longer because it was fast before");
    }
}
