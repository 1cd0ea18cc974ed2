//! A TCP stream that gives up on clients that neither speak nor listen.
//!
//! hyper limits the time for a request's head, but not for a write that blocks, nor for the first bytes, by which it
//! tells HTTP/1 from HTTP/2.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How an HTTP/2 connection begins (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream with a limit on its first bytes and one on each write that blocks. Either limit shows as
/// `ErrorKind::TimedOut`.
pub(super) struct GuardedStream<S> {
    stream: S,
    /// Runs until the first bytes have shown which protocol this is.
    first_bytes: Option<(Pin<Box<Sleep>>, usize)>,
    /// Runs while a write blocks; kept and set anew, because a timer costs an allocation.
    blocked: Option<Pin<Box<Sleep>>>,
    is_blocked: bool,
    write_limit: Duration,
}

impl<S> GuardedStream<S> {
    /// `head_limit` for the first bytes, from now on; `write_limit` for each write.
    pub(super) fn new(stream: S, head_limit: Duration, write_limit: Duration) -> Self {
        let first_bytes = Some((Box::pin(sleep(head_limit)), 0));
        Self { stream, first_bytes, blocked: None, is_blocked: false, write_limit }
    }

    /// Passes a write's outcome on; one that is pending too long fails.
    fn watch<T>(&mut self, outcome: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.is_blocked = false;
            return outcome;
        }
        let limit = self.write_limit;
        let timer = self.blocked.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.is_blocked {
            self.is_blocked = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Some((timer, seen)) = &mut self.first_bytes else { return outcome };
        if outcome.is_pending() {
            let late = || Err(io::Error::new(io::ErrorKind::TimedOut, "the client sends nothing"));
            return timer.as_mut().poll(cx).map(|()| late());
        }
        let new = &buf.filled()[before..];
        let undecided = HTTP2_PREFACE[*seen..].len() > new.len() && HTTP2_PREFACE[*seen..].starts_with(new);
        *seen += new.len();
        if !undecided {
            self.first_bytes = None;
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(outcome, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(outcome, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(outcome, cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_blocks_too_long_fails_and_one_that_goes_on_does_not() {
        let (near, mut far) = duplex(4);
        let mut near = GuardedStream::new(near, SECOND, 2 * SECOND);
        let reader = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(SECOND).await;
                far.read_exact(&mut [0; 4]).await.unwrap();
            }
            far
        });
        near.write_all(&[7; 20]).await.unwrap();
        let _far = reader.await.unwrap();
        let error = near.write_all(&[7; 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_must_show_its_protocol_in_time_and_may_be_silent_afterwards() {
        for (sent, fails) in [(&b""[..], true), (b"PRI * HTTP/2.0\r\n", true), (b"GET", false), (HTTP2_PREFACE, false)]
        {
            let (near, mut far) = duplex(64);
            let mut near = GuardedStream::new(near, SECOND, SECOND);
            far.write_all(sent).await.unwrap();
            near.read_exact(&mut vec![0; sent.len()]).await.unwrap();
            let next = tokio::time::timeout(5 * SECOND, near.read_u8()).await;
            assert_eq!(matches!(next, Ok(Err(_))), fails, "{sent:?}");
        }
    }
}
