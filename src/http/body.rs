//! Reading a body within its bound.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer::{self, Answer};
use crate::base::limits::{PASSED_OVER_BODY_BYTES_MAX, REFUSED_BODY_BYTES_MAX, WEBHOOK_BODY_BYTES_MAX};

/// A body that was read whole.
pub(super) struct Whole<'s> {
    pub(super) bytes: Bytes,
    /// Held while a large body is in memory.
    pub(super) _permit: Option<SemaphorePermit<'s>>,
}

/// Why a body was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Over the bound; as much of the rest was thrown away as is worth it.
    TooLarge,
    /// Too many large bodies are in memory just now.
    Busy,
    /// The sender went away, or its chunks do not read.
    Broken,
}

/// Reads at most `bytes_max`. `large` bounds how many bodies over `WEBHOOK_BODY_BYTES_MAX` are in
/// memory at one time.
pub(super) async fn read(mut body: Incoming, bytes_max: usize, large: &Semaphore) -> Result<Whole<'_>, Fault> {
    let announced = body.size_hint().exact().map_or(0, |it| usize::try_from(it).unwrap_or(usize::MAX));
    if announced > bytes_max {
        drain(body).await;
        return Err(Fault::TooLarge);
    }
    let mut permit = permit_for(announced, large)?;
    let mut kept = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Fault::Broken)?.into_data() else { continue };
        if kept.is_empty() && body.is_end_stream() && data.len() <= bytes_max {
            // The usual case: a small body in one piece is not copied.
            return Ok(Whole { bytes: data, _permit: permit });
        }
        if kept.len() + data.len() > bytes_max {
            drop(kept);
            drain(body).await;
            return Err(Fault::TooLarge);
        }
        if permit.is_none() {
            permit = permit_for(kept.len() + data.len(), large)?;
        }
        kept.extend_from_slice(&data);
    }
    Ok(Whole { bytes: kept.freeze(), _permit: permit })
}

fn permit_for(bytes: usize, large: &Semaphore) -> Result<Option<SemaphorePermit<'_>>, Fault> {
    match bytes > WEBHOOK_BODY_BYTES_MAX {
        true => large.try_acquire().map(Some).map_err(|_| Fault::Busy),
        false => Ok(None),
    }
}

/// A sender that still writes does not read the refusal: closing the connection on it would show it
/// a reset instead of 413. So the rest is read and thrown away, up to a bound.
async fn drain(mut body: Incoming) {
    let mut left = REFUSED_BODY_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// An answer before the body was read. A connection whose body nobody reads ends with the answer; a
/// web server in front, which keeps its connections, would send the next lead, of somebody else,
/// into it. So a small body is read and thrown away, and of a large one the end is announced.
pub(super) async fn passed_over(mut body: Incoming, answer: Answer) -> Answer {
    if body.size_hint().upper().is_none_or(|it| it > PASSED_OVER_BODY_BYTES_MAX as u64) {
        return answer::closing(answer);
    }
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return answer::closing(answer);
        }
    }
    answer
}
