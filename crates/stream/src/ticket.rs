//! The promise of an append: completes once, can be awaited or waited for on a thread.
//!
//! It is a one-shot channel of our own because one value has to serve both kinds of waiting without a runtime, and
//! because completing it must cost nothing beyond its lock when nobody waits yet: a commit completes hundreds.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::{Condvar, Mutex};

use crate::{Appended, LogError};

type Answer = Result<Appended, LogError>;

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

/// The answer to one append, when it comes. Dropping it does not take the append back.
#[derive(Debug)]
pub struct Ticket {
    slot: Arc<Slot>,
}

impl Ticket {
    /// A ticket and what completes it.
    pub(crate) fn pair() -> (Self, Completer) {
        let slot = Arc::new(Slot::default());
        (Self { slot: Arc::clone(&slot) }, Completer { slot: Some(slot) })
    }

    /// Blocks this thread until the append is durable or has failed. Not for threads that run async tasks: await there.
    pub fn wait(self) -> Result<Appended, LogError> {
        let mut state = self.slot.state.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            self.slot.done.wait(&mut state);
        }
    }

    /// Whether the answer is there, without taking it.
    pub fn is_complete(&self) -> bool {
        self.slot.state.lock().answer.is_some()
    }
}

impl Future for Ticket {
    type Output = Result<Appended, LogError>;

    /// Once it has answered, it must not be polled again, like every future; it would stay pending.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.state.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

/// Completes a [`Ticket`]. Dropped without an answer it answers that the log is closed, so no sender waits for ever.
#[derive(Debug)]
pub(crate) struct Completer {
    slot: Option<Arc<Slot>>,
}

impl Completer {
    pub(crate) fn complete(mut self, answer: Answer) {
        self.answer(answer);
    }

    fn answer(&mut self, answer: Answer) {
        let Some(slot) = self.slot.take() else { return };
        let waker = {
            let mut state = slot.state.lock();
            state.answer = Some(answer);
            state.waker.take()
        };
        // With parking_lot this is one atomic load when no thread waits.
        slot.done.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Completer {
    fn drop(&mut self) {
        self.answer(Err(LogError::Closed));
    }
}

#[cfg(test)]
mod tests {
    use rapport_types::Offset;

    use super::*;

    fn appended() -> Appended {
        Appended { offsets: vec![Offset(7)] }
    }

    #[test]
    fn a_thread_that_waits_gets_the_answer() {
        let (ticket, completer) = Ticket::pair();
        let waiting = std::thread::spawn(move || ticket.wait());
        completer.complete(Ok(appended()));
        assert_eq!(waiting.join().unwrap(), Ok(appended()));
    }

    #[test]
    fn a_task_that_waits_is_woken() {
        let (ticket, completer) = Ticket::pair();
        let waiting = std::thread::spawn(move || futures::executor::block_on(ticket));
        completer.complete(Err(LogError::DiskFull));
        assert_eq!(waiting.join().unwrap(), Err(LogError::DiskFull));
    }

    #[test]
    fn a_lost_completer_is_an_answer_too() {
        let (ticket, completer) = Ticket::pair();
        assert!(!ticket.is_complete());
        drop(completer);
        assert!(ticket.is_complete());
        assert_eq!(ticket.wait(), Err(LogError::Closed));
    }
}
