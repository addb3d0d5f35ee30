//! One question to the sink: its answer, or why there is none.

use super::SinkError;
use super::caller::{Call, Caller, NotBefore, Reply};
use super::judge::{Judged, Ruling};
use crate::base::{Message, Timestamp};
use crate::model::Fault;
use crate::value::Value;

/// Asks within the sink's quota, waiting until `deadline` at the most.
pub(crate) async fn ask(caller: &Caller, call: Call, deadline: Timestamp) -> Result<Value, SinkError> {
    if let Err(NotBefore(until)) = caller.admit(&call.method, deadline).await {
        let message = Message::new("sink-busy").with("host", caller.host());
        return Err(SinkError { fault: Fault::Sink, message, retry_at: Some(until) });
    }
    let reply = caller.send(&[call], deadline).await.into_iter().next();
    let (fault, message, retry_at) = match reply {
        Some(Reply::Answered(Judged { ruling: Ruling::Done(body), .. })) => return Ok(body),
        Some(Reply::Answered(Judged { ruling: Ruling::Retry { at, .. }, reason })) => (Fault::Sink, reason, Some(at)),
        Some(Reply::Answered(Judged { ruling: Ruling::Uncertain, reason })) | Some(Reply::NotSent(reason)) => {
            (Fault::Sink, reason, None)
        }
        Some(Reply::Answered(Judged { reason, .. })) | Some(Reply::Forbidden(reason)) => {
            (Fault::Connection, reason, None)
        }
        None => (Fault::Uzel, Message::new("sink-busy").with("host", caller.host()), None),
    };
    Err(SinkError { fault, message, retry_at })
}
